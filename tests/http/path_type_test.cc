#include "http/path_type.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using perigee::http::parse_path_value;
using perigee::http::path_type_expected;
using perigee::http::path_type_name;
using perigee::http::path_type_of;
using perigee::http::PathType;

namespace {

struct Case {
  PathType type;
  std::vector<std::string> fits;
  std::vector<std::string> does_not;
};

const std::vector<Case> kCases = {
    {PathType::kString, {"a", " ", "\xff"}, {""}},
    {PathType::kInteger,
     {"0", "7", "-7", "9007199254740992", "-9007199254740992"},
     {"", "-", "00", "07", "-0", "+1", "1.0", "1e3", " 1", "1 ", "0x1", "9007199254740993", "99999999999999999999",
      "--1"}},
    {PathType::kNumber,
     {"0", "-0", "1.5", "-1.5e-3", "1E+2", "0.5", "123456789012345678901234567890"},
     {"", "-", ".5", "1.", "01", "-01.5", "1e", "1e+", "nan", "inf", "0x1p3", "1e999", "1 ", "+1", "1.5.2"}},
    {PathType::kBoolean, {"true", "false"}, {"", "True", "1", "yes", "truely"}},
    {PathType::kUuid,
     {"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"},
     {"", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400",
      "123e4567-e89b-12d3-a456-42661417400g"}},
    {PathType::kDate,
     {"2024-02-29", "2000-02-29", "1999-12-31", "0000-01-01"},
     {"", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-04-31", "2024-1-1", "24-01-01",
      "2024/01/01"}},
    {PathType::kJson, {"", "{}", "not json"}, {}},
    {PathType::kKeyword, {"a", "a_1", "abc"}, {"", "A", "1a", "_a", "a-b", "aB"}},
    {PathType::kSlug, {"a", "1", "a-b", "a1-2b-c"}, {"", "-", "-a", "a-", "a--b", "A", "a_b"}}};

}  // namespace

TEST_CASE("path type: each type takes what it names and nothing else") {
  for (const Case& type : kCases) {
    CAPTURE(path_type_name(type.type));
    double number = 0;
    for (const std::string& text : type.fits) {
      CAPTURE(text);
      CHECK(parse_path_value(type.type, text, number));
    }
    for (const std::string& text : type.does_not) {
      CAPTURE(text);
      CHECK_FALSE(parse_path_value(type.type, text, number));
    }
  }
}

TEST_CASE("path type: integers, numbers and booleans yield a number, others leave it alone") {
  double number = 42;
  CHECK(parse_path_value(PathType::kSlug, "a-1", number));
  CHECK(number == 42);
  CHECK_FALSE(parse_path_value(PathType::kInteger, "x", number));
  CHECK(number == 42);
  CHECK(parse_path_value(PathType::kInteger, "-17", number));
  CHECK(number == -17);
  CHECK(parse_path_value(PathType::kNumber, "2.5e1", number));
  CHECK(number == 25);
  CHECK(parse_path_value(PathType::kBoolean, "true", number));
  CHECK(number == 1);
  CHECK(parse_path_value(PathType::kBoolean, "false", number));
  CHECK(number == 0);
}

TEST_CASE("path type: names and types map onto each other") {
  for (const Case& type : kCases) {
    CHECK(path_type_of(path_type_name(type.type)) == type.type);
    CHECK_FALSE(path_type_expected(type.type).empty());
  }
  CHECK_FALSE(path_type_of("int"));
}

TEST_CASE("path type: an app's own type has no name here and takes any text") {
  double number = 7;
  CHECK_FALSE(perigee::http::path_type_of(""));
  CHECK(perigee::http::parse_path_value(perigee::http::PathType::kCustom, "anything", number));
  CHECK(number == 7);
}
