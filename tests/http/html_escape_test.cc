#include "http/html_escape.h"

#include <catch2/catch.hpp>
#include <string>

using perigee::http::escape_html;
using perigee::http::kHtmlGrowth;

namespace {

std::string escaped(const std::string& text) {
  std::string out(text.size() * kHtmlGrowth, '?');
  out.resize(escape_html(text, out.data()));
  return out;
}

}  // namespace

TEST_CASE("html escape: what could end a text or a quoted attribute becomes an entity") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"<", "&lt;"},
      {"a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c&#39;"},
      {"&lt;", "&amp;lt;"},
      {"\xc3\xa4<\xff", "\xc3\xa4&lt;\xff"},
      {std::string("\0<\0", 3), std::string("\0&lt;\0", 6)},
      {"''", "&#39;&#39;"},
  }));
  CHECK(escaped(text) == expected);
}

TEST_CASE("html escape: of a text that can go in as it is nothing is written") {
  for (const char* text : {"", "plain", "a; b = c (d) [e] {f} /g/ `h`", "\xc3\xa4\xff"}) {
    CHECK(escaped(text).empty());
  }
}

TEST_CASE("html escape: no byte becomes more than it says") {
  for (int byte = 0; byte < 256; ++byte) {
    CHECK(escaped(std::string(1, static_cast<char>(byte))).size() <= kHtmlGrowth);
  }
}
