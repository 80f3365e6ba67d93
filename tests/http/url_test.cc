#include "http/url.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using perigee::http::decode_path;
using perigee::http::form_decode;
using perigee::http::FormPairs;
using perigee::http::needs_form_decoding;
using perigee::http::percent_encode;

TEST_CASE("url: a path is decoded once and its dot segments are resolved") {
  const std::vector<std::pair<std::string, std::string>> paths = {{"", "/"},
                                                                  {"/", "/"},
                                                                  {"/a/b", "/a/b"},
                                                                  {"/a%20b", "/a b"},
                                                                  {"/%7Ea", "/~a"},
                                                                  {"/a/./b", "/a/b"},
                                                                  {"/a/../b", "/b"},
                                                                  {"/a/b/..", "/a/"},
                                                                  {"/a/.", "/a/"},
                                                                  {"/a/b/../../c", "/c"},
                                                                  {"/%2e/a", "/a"},
                                                                  {"/a/%2E%2e/b", "/b"},
                                                                  {"/a//b", "/a//b"},
                                                                  {"/a//../b", "/a/b"},
                                                                  {"/.a", "/.a"},
                                                                  {"/...", "/..."},
                                                                  {"/a..", "/a.."},
                                                                  {"/%252f", "/%2f"},
                                                                  {"/%c3%bc", "/\xc3\xbc"},
                                                                  {"/a/..", "/"},
                                                                  {"/./", "/"},
                                                                  {"/a+b", "/a+b"},
                                                                  {"/a/", "/a/"}};
  for (const auto& [raw, expected] : paths) {
    CAPTURE(raw);
    const auto path = decode_path(raw);
    REQUIRE(path);
    CHECK(*path == expected);
  }
}

TEST_CASE("url: a path that hides something is refused") {
  for (const char* raw : {"/%00", "/%", "/%4", "/%zz", "/%2f", "/a%2Fb", "/%5c", "/%5C..", "/a\\b", "/..", "/a/../..",
                          "/%2e%2e", "a", "*", "/a/../../b"}) {
    CAPTURE(raw);
    CHECK_FALSE(decode_path(raw));
  }
  CHECK_FALSE(decode_path(std::string_view("/a\0b", 4)));
}

TEST_CASE("url: form pairs are walked in order, empty ones passed over") {
  FormPairs pairs("&a=1&&b=&c&=d&e=f=g&");
  std::vector<std::pair<std::string, std::string>> seen;
  while (pairs.next()) {
    seen.emplace_back(pairs.raw_name(), pairs.raw_value());
  }
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "f=g"}};
  CHECK(seen == expected);
  FormPairs none("&&&");
  CHECK_FALSE(none.next());
}

TEST_CASE("url: form decoding turns plus into space and leaves a malformed percent alone") {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"a+b", "a b"}, {"%41", "A"}, {"%4", "%4"}, {"%", "%"}, {"%zz", "%zz"}, {"%2B+", "+ "}, {"", ""}, {"abc", "abc"}};
  for (const auto& [text, expected] : texts) {
    CAPTURE(text);
    std::string out(text.size(), '\0');
    out.resize(form_decode(text, out.data()));
    CHECK(out == expected);
    CHECK(needs_form_decoding(text) == (text != expected));
  }
}

TEST_CASE("url: percent-encoding leaves unreserved characters alone") {
  CHECK(percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(percent_encode("a b/\xc3\xbc%") == "a%20b%2F%C3%BC%25");
}

TEST_CASE("url: a form's first value is found by its decoded name") {
  using Found = std::optional<std::string_view>;
  std::string room;
  const auto find = [&room](std::string_view text, std::string_view name) {
    return perigee::http::find_form_value(text, name, room);
  };
  CHECK(find("a=1&a=2", "a") == Found("1"));
  CHECK(find("a=1&b=2", "b") == Found("2"));
  CHECK(find("a=x+y&b=2", "a") == Found("x y"));
  CHECK(find("%61=%31", "a") == Found("1"));
  CHECK(find("a+b=1", "a b") == Found("1"));
  CHECK(find("a+b=1", "a+b") == std::nullopt);
  CHECK(find("a%2Bb=1", "a+b") == Found("1"));
  CHECK(find("a", "a") == Found(""));
  CHECK(find("a&a=1", "a") == Found(""));
  CHECK(find("ab=1&a=2", "a") == Found("2"));
  CHECK(find("a=b=c", "a") == Found("b=c"));
  CHECK(find("a=b=c", "a=b") == std::nullopt);
  CHECK(find("=x", "") == Found("x"));
  CHECK(find("colour=light+green&color=green&a=1", "color") == Found("green"));
  CHECK(find("color=a-value-of-more-than-sixteen-bytes=&a", "color") == Found("a-value-of-more-than-sixteen-bytes="));
  CHECK(find("color=a-value-of-more-than-sixteen%20bytes", "color") == Found("a-value-of-more-than-sixteen bytes"));
  CHECK(find("", "a") == std::nullopt);
  CHECK(find("a=%", "a") == Found("%"));
}
