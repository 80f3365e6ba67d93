#include "script/answer_fields.h"

#include <catch2/catch.hpp>

using perigee::script::add_field;
using perigee::script::Answer;
using perigee::script::FieldVerdict;

TEST_CASE("answer fields: a field becomes one line, in the order given") {
  Answer answer;
  CHECK(add_field(answer, "X-A", "b") == FieldVerdict::kAdded);
  CHECK(add_field(answer, "x-empty", "") == FieldVerdict::kAdded);
  CHECK(add_field(answer, "X-A", "c\td") == FieldVerdict::kAdded);
  CHECK(answer.fields == "X-A: b\r\nx-empty: \r\nX-A: c\td\r\n");
}

TEST_CASE("answer fields: a line is whole whatever its length") {
  const std::size_t size = GENERATE(std::size_t{1}, std::size_t{248}, std::size_t{249}, std::size_t{250},
                                    std::size_t{251}, std::size_t{252}, std::size_t{253}, std::size_t{100'000});
  Answer answer;
  const std::string value(size, 'v');
  CHECK(add_field(answer, "X-A", value) == FieldVerdict::kAdded);
  CHECK(answer.fields == "X-A: " + value + "\r\n");
}

TEST_CASE("answer fields: Content-Type in any case becomes the content type, the last one counting") {
  Answer answer;
  std::string value = "text/css";
  CHECK(add_field(answer, "CONTENT-type", value) == FieldVerdict::kAdded);
  value = "overwritten";
  CHECK(answer.content_type == "text/css");
  CHECK(add_field(answer, "content-type", "image/png") == FieldVerdict::kAdded);
  CHECK(answer.content_type == "image/png");
  CHECK(answer.fields.empty());
}

TEST_CASE("answer fields: what the server sets itself is reserved in any case") {
  const std::string name = GENERATE(values<std::string>({"Content-Length", "TRANSFER-ENCODING", "connection",
                                                         "Keep-Alive", "Upgrade", "Trailer", "TE", "Date", "server"}));
  Answer answer;
  CHECK(add_field(answer, name, "1") == FieldVerdict::kReserved);
  CHECK(answer.fields.empty());
}

TEST_CASE("answer fields: names of the same length as a reserved one are free") {
  const std::string name = GENERATE(values<std::string>(
      {"TD", "Data", "serves", "Refresh", "Content-Langua", "connectiom", "x-content-types-z", "Content-Typo"}));
  Answer answer;
  CHECK(add_field(answer, name, "1") == FieldVerdict::kAdded);
  CHECK(answer.fields == name + ": 1\r\n");
  CHECK(answer.content_type.empty());
}

TEST_CASE("answer fields: a name that is no token is refused") {
  const std::string name = GENERATE(values<std::string>(
      {"", " ", "a b", "a:", "a\r\nb", std::string("a\0b", 3), "a\x7f", "\xc3\xa4", "(a)", "a@b", "a/b", "\"a\""}));
  Answer answer;
  CHECK(add_field(answer, name, "1") == FieldVerdict::kBadName);
  CHECK(answer.fields.empty());
}

TEST_CASE("answer fields: a value with a control byte is refused, for the content type as well") {
  const std::string value =
      GENERATE(values<std::string>({"a\r\nb: c", "a\nb", "\r", std::string("a\0", 2), "\x01", "\x1f", "a\x7f"}));
  Answer answer;
  CHECK(add_field(answer, "x-a", value) == FieldVerdict::kBadValue);
  CHECK(add_field(answer, "content-type", value) == FieldVerdict::kBadValue);
  CHECK(answer.fields.empty());
  CHECK(answer.content_type.empty());
}

TEST_CASE("answer fields: bytes above 127 are opaque and pass") {
  Answer answer;
  CHECK(add_field(answer, "x-a", "caf\xe9 \xc3\xa4") == FieldVerdict::kAdded);
  CHECK(answer.fields == "x-a: caf\xe9 \xc3\xa4\r\n");
}

TEST_CASE("answer fields: lines collected together are whole however many there are") {
  Answer answer;
  std::string expected;
  {
    perigee::script::FieldLines lines(answer);
    for (std::size_t size = 0; size < 600; size += 7) {
      const std::string value(size, 'v');
      REQUIRE(lines.add("x", value) == FieldVerdict::kAdded);
      expected += "x: " + value + "\r\n";
    }
    CHECK(lines.add("x\r", "") == FieldVerdict::kBadName);
  }
  CHECK(answer.fields == expected);
}
