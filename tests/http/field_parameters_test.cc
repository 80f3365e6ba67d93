#include "http/field_parameters.h"

#include <catch2/catch.hpp>

using namespace perigee::http;

TEST_CASE("field parameters: names fold their case, quotes go, order stays") {
  const auto found = parse_field_parameters(" Form-Data; NAME=\"a b\" ;x=1; y=\"\"; ");
  REQUIRE(found);
  CHECK(found->value == "form-data");
  REQUIRE(found->parameters.size() == 3);
  CHECK(*found->find("name") == "a b");
  CHECK(*found->find("x") == "1");
  CHECK(found->find("y")->empty());
  CHECK(found->find("z") == nullptr);
  CHECK(parse_field_parameters("Multipart/Form-Data; boundary=x")->value == "multipart/form-data");
}

TEST_CASE("field parameters: a backslash hides a quote or a backslash, and else stands for itself") {
  CHECK(*parse_field_parameters(R"(a; f="x\"y")")->find("f") == R"(x"y)");
  CHECK(*parse_field_parameters(R"(a; f="C:\dir\file")")->find("f") == R"(C:\dir\file)");
  CHECK(*parse_field_parameters(R"(a; f="a\\b")")->find("f") == R"(a\b)");
}

TEST_CASE("field parameters: what is not of the form is refused") {
  const char* const text = GENERATE("", ";", "a b", "/", "a/", "a/;b=c", "a; b", "a; b=", "a; =c", "a; b=\"c",
                                    "a; b=\"c\\\"", "a; b=c d=e", "a; b=1; B=2", "a; b=\"\x01\"", "a; b=(c)", "a;;b=c");
  INFO(text);
  CHECK_FALSE(parse_field_parameters(text));
}

TEST_CASE("field parameters: extended values are UTF-8 or ISO-8859-1, percent-encoded") {
  CHECK(decode_extended_value("UTF-8''na%C3%AFve%20file") == "na\xC3\xAFve file");
  CHECK(decode_extended_value("utf-8'de'a") == "a");
  CHECK(decode_extended_value("ISO-8859-1''%A3") == "\xC2\xA3");
  for (const char* wrong : {"", "a", "UTF-8'a", "UTF-16''a", "''a", "UTF-8''%", "UTF-8''%4", "UTF-8''%zz"}) {
    INFO(wrong);
    CHECK_FALSE(decode_extended_value(wrong));
  }
}

TEST_CASE("field parameters: a file's name keeps its last component only") {
  const std::pair<std::string, std::string> table[] = {{"a.txt", "a.txt"}, {"/etc/passwd", "passwd"},
                                                       {"../../a", "a"},   {"C:\\x\\y.doc", "y.doc"},
                                                       {"a/b\\c", "c"},    {"..", ""},
                                                       {".", ""},          {"a/..", ""},
                                                       {"a/", ""},         {"", ""},
                                                       {"...", "..."},     {std::string("a\0b", 3), ""}};
  for (const auto& [sent, kept] : table) {
    INFO(sent);
    CHECK(last_path_component(sent) == kept);
  }
}
