#include "script/answer_fields.h"

#include <array>
#include <catch2/catch.hpp>

using perigee::Slice;
using perigee::script::add_field;
using perigee::script::add_known_fields;
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

TEST_CASE("answer fields: a bad byte is found wherever it is, and any other passes") {
  for (const std::size_t size : {1U, 2U, 3U, 4U, 7U, 8U, 9U, 15U, 16U, 17U, 33U}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int code = 0; code < 256; ++code) {
        std::string value(size, 'v');
        value[at] = static_cast<char>(code);
        Answer answer;
        const bool bad = (code < 0x20 && code != '\t') || code == 0x7f;
        REQUIRE((add_field(answer, "x-a", value) == FieldVerdict::kBadValue) == bad);
      }
    }
  }
}

TEST_CASE("answer fields: lines added together are whole however many there are") {
  Answer answer;
  std::string expected;
  for (std::size_t size = 0; size < 600; size += 7) {
    const std::string value(size, 'v');
    REQUIRE(add_field(answer, "x", value) == FieldVerdict::kAdded);
    expected += "x: " + value + "\r\n";
  }
  CHECK(add_field(answer, "x\r", "") == FieldVerdict::kBadName);
  CHECK(answer.fields == expected);
}

TEST_CASE("answer fields: a name is that of a line, of the content type, reserved or bad") {
  using perigee::script::name_use;
  using perigee::script::NameUse;
  CHECK(name_use("x-a") == NameUse::kLine);
  CHECK(name_use("Content-Language") == NameUse::kLine);
  CHECK(name_use("content-TYPE") == NameUse::kContentType);
  CHECK(name_use("Date") == NameUse::kReserved);
  CHECK(name_use("a b") == NameUse::kBad);
  CHECK(name_use("") == NameUse::kBad);
}

TEST_CASE("answer fields: of names that are known only the values are looked at") {
  const std::array names = {Slice::of("x-a"), Slice::of(""), Slice::of("x-b"), Slice::of("x-c")};
  std::array values = {Slice::of("1"), Slice::of("image/png"), Slice(), Slice::of("")};
  Answer answer;
  CHECK(add_known_fields(answer, names.data(), values.data(), names.size()));
  CHECK(answer.fields == "x-a: 1\r\nx-c: \r\n");
  CHECK(answer.content_type == "image/png");
  values[3] = Slice::of("a\nb");
  CHECK_FALSE(add_known_fields(answer, names.data(), values.data(), names.size()));
  values[3] = Slice::of("c");
  values[1] = Slice::of("a\rb");
  CHECK_FALSE(add_known_fields(answer, names.data(), values.data(), names.size()));
  CHECK(answer.content_type == "image/png");
}
