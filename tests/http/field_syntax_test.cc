#include "http/field_syntax.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

using perigee::http::equal_fold;
using perigee::http::is_field_value;
using perigee::http::is_host;
using perigee::http::is_token;
using perigee::http::take_element;

TEST_CASE("field syntax: a token is one or more tchar") {
  CHECK(is_token("GET"));
  CHECK(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (const std::string_view text : {"", "a b", "a:b", "a/b", "a\tb", "\"a\"", "a\x80", "(a)", "a@b", "a,b"}) {
    CAPTURE(text);
    CHECK_FALSE(is_token(text));
  }
}

TEST_CASE("field syntax: a field value holds visible characters, blanks and obs-text") {
  CHECK(is_field_value(""));
  CHECK(is_field_value("a b\tc \xc3\xbc \xff"));
  CHECK_FALSE(is_field_value("a\rb"));
  CHECK_FALSE(is_field_value("a\nb"));
  CHECK_FALSE(is_field_value(std::string_view("a\0b", 3)));
  CHECK_FALSE(is_field_value("a\x7f"));
  CHECK_FALSE(is_field_value("a\x01"));
}

TEST_CASE("field syntax: a list is taken apart at its commas, blanks and all") {
  using Elements = std::vector<std::string_view>;
  const auto [text, elements] = GENERATE(table<std::string_view, Elements>({{"one", {"one"}},
                                                                            {" one ,\ttwo", {"one", "two"}},
                                                                            {"one,,two,", {"one", "", "two"}},
                                                                            {",", {""}},
                                                                            {"a b, c;q=1 ", {"a b", "c;q=1"}}}));
  CAPTURE(text);
  Elements taken;
  for (std::string_view list = text; !list.empty();) {
    taken.push_back(take_element(list));
  }
  CHECK(taken == elements);
}

TEST_CASE("field syntax: a host is a name or an address, perhaps with a port") {
  for (const std::string_view text :
       {"localhost", "example.com:80", "127.0.0.1:8080", "a_b", "0.0.0.0=5000", "a:", "a%41b", "[::1]", "[::]:1",
        "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[4712::abcd]:8000", "[::ffff:1.2.3.4]",
        "[1:2:3:4:5:6:1.2.3.4]", "host:65535"}) {
    CAPTURE(text);
    CHECK(is_host(text));
  }
}

TEST_CASE("field syntax: what is no host is refused") {
  for (const std::string_view text : {"",
                                      ":80",
                                      "a b",
                                      "user@host",
                                      "a:b",
                                      "a:80:80",
                                      "a::80",
                                      "a/b",
                                      "a\\b",
                                      "a\xa0",
                                      "[::1",
                                      "::1",
                                      "[]",
                                      "[:1]",
                                      "[1:2:3]",
                                      "[::1::2]",
                                      "[12345::]",
                                      "[1:2:3:4:5:6:7:8:9]",
                                      "[1::2:]",
                                      "[::1]x",
                                      "a:65536",
                                      "a:123456",
                                      "a%4",
                                      "a%zz",
                                      "[::1.2.3]",
                                      "[::1.2.3.256]",
                                      "[::01.2.3.4]",
                                      "[v1.a]",
                                      "[1:2:3:4:5:6:7:1.2.3.4]",
                                      "a?b",
                                      "a#b"}) {
    CAPTURE(text);
    CHECK_FALSE(is_host(text));
  }
}

TEST_CASE("field syntax: equality but for case folds letters only") {
  CHECK(equal_fold("Content-Length", "cONTENT-lENGTH"));
  CHECK(equal_fold("", ""));
  CHECK_FALSE(equal_fold("a", "ab"));
  CHECK_FALSE(equal_fold("keep-alive", "keep\ralive"));
  CHECK_FALSE(equal_fold("@", "`"));
}

TEST_CASE("field syntax: equality but for case looks at every byte, however long the texts are") {
  std::size_t wrong = 0;
  for (std::size_t size = 1; size < 26; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int code = 0; code < 256; ++code) {
        std::string a(size, 'a');
        std::string b(size, 'A');
        a[at] = static_cast<char>(code);
        for (const char other : {'@', 'A', 'Z', '[', '`', 'a', 'z', '{', '\xc1', '\xe1', '\0'}) {
          b[at] = other;
          const bool letters = std::isalpha(code) != 0 && std::isalpha(static_cast<unsigned char>(other)) != 0;
          const bool same = a[at] == other || (letters && (a[at] ^ other) == 0x20);
          wrong += equal_fold(a, b) == same ? 0 : 1;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("field syntax: a value is refused wherever in it a control stands") {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char byte : {'\0', '\r', '\n', '\x1f', '\x7f', '\t', ' ', '\x80', '\xff', '~'}) {
        std::string text(size, 'a');
        text[at] = byte;
        const auto code = static_cast<unsigned char>(byte);
        CHECK(perigee::http::is_field_value(text) == (code == '\t' || (code >= 0x20 && code != 0x7f)));
      }
    }
  }
}

TEST_CASE("field syntax: blanks around a text go, those within it stay") {
  using perigee::http::trimmed;
  CHECK(trimmed("") == "");
  CHECK(trimmed(" \t ") == "");
  CHECK(trimmed("a") == "a");
  CHECK(trimmed(" \ta b\t ") == "a b");
  CHECK(trimmed("\ra\n") == "\ra\n");
}
