#include "http/cookie.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using perigee::http::CookiePairs;
using perigee::http::SameSite;
using perigee::http::set_cookie_line;
using perigee::http::SetCookie;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(const std::string& text) {
  Pairs found;
  CookiePairs pairs(text);
  while (pairs.next()) {
    found.emplace_back(pairs.name(), pairs.value());
  }
  return found;
}

SetCookie cookie_of(std::string_view name, std::string_view value) {
  SetCookie cookie;
  cookie.name = name;
  cookie.value = value;
  return cookie;
}

}  // namespace

TEST_CASE("cookie: pairs are split at semicolons and trimmed") {
  CHECK(pairs_of("a=1; b=2") == Pairs{{"a", "1"}, {"b", "2"}});
  CHECK(pairs_of(" a = 1 ;\tb=\"x y\";c=") == Pairs{{"a", "1"}, {"b", "x y"}, {"c", ""}});
  CHECK(pairs_of("a=b=c;;") == Pairs{{"a", "b=c"}});
  CHECK(pairs_of("a=\"") == Pairs{{"a", "\""}});
  CHECK(pairs_of("=x") == Pairs{{"", "x"}});
}

TEST_CASE("cookie: pairs without an equals sign are passed over") {
  CHECK(pairs_of("junk; a=1; more") == Pairs{{"a", "1"}});
  CHECK(pairs_of("").empty());
  CHECK(pairs_of(" ; ").empty());
}

TEST_CASE("cookie: a cookie is set with safe defaults") {
  const auto line = set_cookie_line(cookie_of("a", "1"));
  REQUIRE(line);
  CHECK(*line == "Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax\r\n");
}

TEST_CASE("cookie: every attribute is written") {
  SetCookie cookie = cookie_of("a", "");
  cookie.path = "/x";
  cookie.domain = "example.com";
  cookie.max_age = 60;
  cookie.http_only = false;
  cookie.secure = true;
  cookie.same_site = SameSite::kNone;
  CHECK(set_cookie_line(cookie).value() ==
        "Set-Cookie: a=; Path=/x; Domain=example.com; Max-Age=60; Secure; SameSite=None\r\n");
  cookie.max_age = -5;
  cookie.same_site = SameSite::kUnset;
  CHECK(set_cookie_line(cookie).value() ==
        "Set-Cookie: a=; Path=/x; Domain=example.com; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure\r\n");
}

TEST_CASE("cookie: what the grammar forbids is refused") {
  for (const char* name : {"", "a b", "a=b", "a;b", "a\r\n", "\xc3\xbc"}) {
    CHECK_FALSE(set_cookie_line(cookie_of(name, "1")));
  }
  for (const char* value : {"a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nX: y", "a\x7f", "\xc3\xbc"}) {
    CHECK_FALSE(set_cookie_line(cookie_of("a", value)));
  }
  SetCookie cookie = cookie_of("a", "1");
  cookie.path = "/;x";
  CHECK_FALSE(set_cookie_line(cookie));
  cookie.path = "/";
  cookie.domain = "a\nb";
  CHECK_FALSE(set_cookie_line(cookie));
}

TEST_CASE("cookie: prefixes and SameSite=None want what browsers want") {
  SetCookie cookie = cookie_of("__Host-a", "1");
  CHECK_FALSE(set_cookie_line(cookie));
  cookie.secure = true;
  CHECK(set_cookie_line(cookie));
  cookie.path = "/x";
  CHECK_FALSE(set_cookie_line(cookie));
  cookie.path = "/";
  cookie.domain = "example.com";
  CHECK_FALSE(set_cookie_line(cookie));
  cookie = cookie_of("__secure-a", "1");
  CHECK_FALSE(set_cookie_line(cookie));
  cookie.secure = true;
  CHECK(set_cookie_line(cookie));
  cookie = cookie_of("a", "1");
  cookie.same_site = SameSite::kNone;
  CHECK_FALSE(set_cookie_line(cookie));
}

TEST_CASE("cookie: one is found by its name as a walk over all would") {
  const std::string field =
      GENERATE(values<std::string>({"a=1; b=2; a=3", " a = 1 ;\tb=\"x y\";c=", "a=b=c;;", "=x", "", "a", "a;b=1",
                                    "ab=1; a=2", "a b=1", "a =1", "a=;b", "a\t=1", "a=\"", "a=\"\"", ";=1;a=2"}));
  const std::string name =
      GENERATE(values<std::string>({"a", "b", "c", "", "a=b", "a;b", "ab", "a ", " a", "a b", "="}));
  CAPTURE(field, name);
  std::optional<std::string_view> expected;
  for (CookiePairs pairs(field); !expected && pairs.next();) {
    if (pairs.name() == name) {
      expected = pairs.value();
    }
  }
  CHECK(perigee::http::find_cookie(field, name) == expected);
}

TEST_CASE("cookie: a name that begins or ends with a blank is nobody's") {
  CHECK(perigee::http::find_cookie(" a=1", " a") == std::nullopt);
  CHECK(perigee::http::find_cookie("a =1", "a ") == std::nullopt);
  CHECK(perigee::http::find_cookie(" a=1", "a") == std::optional<std::string_view>("1"));
}

TEST_CASE("cookies: a second one of the name is seen wherever it stands behind the first") {
  struct Case {
    std::string_view field;
    bool second;
  };
  for (const auto& [field, second] : {Case{"sid=1", false}, Case{"sid=1; sid=2", true}, Case{"a=b; sid=1;sid=1", true},
                                      Case{"sid=1; xsid=2; sidx=3; x=sid", false}, Case{"sid=\"1\"; sid=2", true},
                                      Case{"sid=\"1\" ; c=d", false}, Case{"sid=; a=b;  sid =x", true}}) {
    INFO(field);
    const auto first = perigee::http::find_cookie(field, "sid");
    REQUIRE(first);
    CHECK(perigee::http::has_second_cookie(field, *first, "sid") == second);
  }
}

TEST_CASE("cookie: a value is whole whatever its size, in quotes or before a blank") {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string value(size, 'v');
    for (const std::string& field :
         {"sid=" + value, "sid=" + value + ";a=b", "sid=" + value + " ; a=b", "sid= \"" + value + "\""}) {
      CHECK(perigee::http::find_cookie(field, "sid") == std::optional<std::string_view>(value));
    }
  }
}
