#include "base/escape.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace perigee;
using namespace std::string_literals;

namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string log(std::string_view text, bool quotes) {
  std::string out;
  append_log_escaped(out, text, quotes);
  return out;
}

}  // namespace

TEST_CASE("escape: each kind of byte has one form in JSON, in a quoted field and in a text line") {
  struct Case {
    std::string text;
    std::string json;
    std::string quoted;
    std::string plain;
  };
  const Case c = GENERATE(values<Case>({
      {"", "\"\"", "", ""},
      {"plain ~text!", "\"plain ~text!\"", "plain ~text!", "plain ~text!"},
      {"a\"b", "\"a\\\"b\"", "a\\\"b", "a\"b"},
      {"a\\b", "\"a\\\\b\"", "a\\\\b", "a\\\\b"},
      {"\n\r\t", "\"\\n\\r\\t\"", "\\n\\r\\t", "\\n\\r\\t"},
      {"\0\x1b\x7f"s, "\"\\u0000\\u001b\\u007f\"", "\\x00\\x1b\\x7f", "\\x00\\x1b\\x7f"},
      {"\u00e9\u20ac\U0001F600", "\"\u00e9\u20ac\U0001F600\"", "\u00e9\u20ac\U0001F600", "\u00e9\u20ac\U0001F600"},
      {"\xc2\x85\xc2\x9b", "\"\\u0085\\u009b\"", "\\xc2\\x85\\xc2\\x9b", "\\xc2\\x85\\xc2\\x9b"},
      {"\u2028\u2029", "\"\\u2028\\u2029\"", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},
      {"\xff\xc3(", "\"\\ufffd\\ufffd(\"", "\\xff\\xc3(", "\\xff\\xc3("},
  }));
  CHECK(json(c.text) == c.json);
  CHECK(log(c.text, true) == c.quoted);
  CHECK(log(c.text, false) == c.plain);
}

TEST_CASE("escape: on a terminal, lines, tabs and backslashes stay, and nothing drives it") {
  const auto terminal = [](std::string_view text) {
    std::string out;
    append_terminal_text(out, text);
    return out;
  };
  CHECK(terminal("a \\ \"b\"\n\tc \u00e9") == "a \\ \"b\"\n\tc \u00e9");
  CHECK(terminal("\x1b[2J\r\0\x7f"s) == "\\x1b[2J\\r\\x00\\x7f");
  CHECK(terminal("\xc2\x9b\u2028\xff") == "\\xc2\\x9b\\xe2\\x80\\xa8\\xff");
}

TEST_CASE("escape: each byte is seen wherever it stands in a long text") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
    for (std::size_t at = 0; at < 37; ++at) {
      std::string text(37, '~');
      text[at] = c;
      CHECK((log(text, true) == text) == plain);
      CHECK((json(text) == '"' + text + '"') == plain);
    }
  }
}

TEST_CASE("escape: UTF-8 is what RFC 3629 says, at every border") {
  const auto [text, length] = GENERATE(table<std::string, std::size_t>({
      {"\x7f", 1},
      {"\x80", 0},
      {"\xc1\xbf", 0},  // overlong
      {"\xc2\x80", 2},
      {"\xdf\xbf", 2},
      {"\xe0\x9f\xbf", 0},  // overlong
      {"\xe0\xa0\x80", 3},
      {"\xed\x9f\xbf", 3},
      {"\xed\xa0\x80", 0},  // surrogate
      {"\xee\x80\x80", 3},
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"\xf0\x90\x80\x80", 4},
      {"\xf4\x8f\xbf\xbf", 4},
      {"\xf4\x90\x80\x80", 0},  // over U+10FFFF
      {"\xf5\x80\x80\x80", 0},
      {"\xe2\x82", 0},  // cut
      {"\xe2\x28\xac", 0},
  }));
  CAPTURE(text);
  CHECK(utf8_length(text) == length);
  CHECK(is_utf8(text) == (length == text.size()));
}

TEST_CASE("escape: JSON strings escape what they must") {
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

TEST_CASE("escape: bytes that are not UTF-8 become replacement characters") {
  const std::string mark = "\\ufffd";
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
