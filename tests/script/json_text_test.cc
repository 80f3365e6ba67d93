#include "script/json_text.h"

#include <catch2/catch.hpp>

using perigee::script::append_json_text;

TEST_CASE("json text: characters that need it are escaped, the others stand for themselves") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", R"("")"},
      {"plain text", R"("plain text")"},
      {"\"\\/", R"("\"\\/")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {std::string("\0\x01\x1f", 3), R"("\u0000\u0001\u001f")"},
      {"\x7f", "\"\x7f\""},
      {"a\nb\nc", R"("a\nb\nc")"},
      {"\n\n", R"("\n\n")"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x99", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x99\""},
      {"\xc2\x80\xdf\xbf", "\"\xc2\x80\xdf\xbf\""},
      {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""},
      {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
      {"\xe2\x80\xa8", "\"\xe2\x80\xa8\""},
  }));
  perigee::BufferPool blocks;
  perigee::ByteBuffer out(blocks);
  out.append("before ");
  CHECK(append_json_text(out, text));
  CHECK(out.readable() == "before " + expected);
}

TEST_CASE("json text: a byte that is no plain one is seen wherever it stands in a text of any length") {
  perigee::BufferPool blocks;
  perigee::ByteBuffer out(blocks);
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string plain(size, '~');
    out.truncate(0);
    REQUIRE(append_json_text(out, plain));
    CHECK(out.readable() == '"' + plain + '"');
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text = plain;
        text[at] = static_cast<char>(byte);
        out.truncate(0);
        const bool is_ascii = byte < 0x80;
        const bool is_plain = is_ascii && byte >= 0x20 && byte != '"' && byte != '\\';
        REQUIRE(append_json_text(out, text) == is_ascii);
        REQUIRE((!is_ascii || (out.size() == size + 2) == is_plain));
        REQUIRE((!is_plain || out.readable() == '"' + text + '"'));
      }
    }
  }
}

TEST_CASE("json text: what is no UTF-8 is refused wherever it stands") {
  const std::string bad = GENERATE(values<std::string>({
      "\x80",
      "\xbf",
      "\xc0\x80",
      "\xc1\xbf",
      "\xc3",
      "\xc3(",
      "\xe0\x80\x80",
      "\xe0\x9f\xbf",
      "\xe2\x82",
      "\xe2(\xac",
      "\xe2\x82(",
      "\xed\xa0\x80",
      "\xed\xbf\xbf",
      "\xf0\x80\x80\x80",
      "\xf0\x8f\xbf\xbf",
      "\xf0\x9f\x8c",
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",
      "\xff",
      "\xfe",
  }));
  perigee::BufferPool blocks;
  perigee::ByteBuffer out(blocks);
  CHECK_FALSE(append_json_text(out, bad));
  CHECK_FALSE(append_json_text(out, "text " + bad));
  CHECK_FALSE(append_json_text(out, bad + " text"));
}
