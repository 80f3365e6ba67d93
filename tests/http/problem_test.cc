#include "http/problem.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using perigee::http::append_json_string;
using perigee::http::problem_json;

TEST_CASE("problem: title and status always, detail and request id when there are any") {
  CHECK(problem_json(404, "", "") == R"({"title":"Not Found","status":404})");
  CHECK(problem_json(400, "no \"x\"", "r-1") ==
        R"({"title":"Bad Request","status":400,"detail":"no \"x\"","request_id":"r-1"})");
}

TEST_CASE("problem: JSON strings escape what they must") {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"", R"("")"},
      {"a\"b\\c/", R"("a\"b\\c/")"},
      {"\n\r\t\x01\x1f\x7f", R"("\n\r\t\u0001\u001f\u007f")"},
      {std::string("\0", 1), R"("\u0000")"},
      {"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\""}};
  for (const auto& [text, expected] : texts) {
    std::string out;
    append_json_string(out, text);
    CHECK(out == expected);
  }
}

TEST_CASE("problem: bytes that are not UTF-8 become replacement characters") {
  const std::string mark = "\xef\xbf\xbd";
  const std::vector<std::pair<std::string, std::string>> texts = {{"\x80", mark},
                                                                  {"\xc0\xaf", mark + mark},
                                                                  {"\xc3", mark},
                                                                  {"a\xe2\x82", "a" + mark + mark},
                                                                  {"\xed\xa0\x80", mark + mark + mark},
                                                                  {"\xf4\x90\x80\x80", mark + mark + mark + mark},
                                                                  {"\xe0\x80\x80", mark + mark + mark},
                                                                  {"\xff", mark},
                                                                  {"\xf0\x80\x80\x80", mark + mark + mark + mark}};
  for (const auto& [text, expected] : texts) {
    std::string out;
    append_json_string(out, text);
    CHECK(out == "\"" + expected + "\"");
  }
}
