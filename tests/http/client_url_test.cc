#include "http/client_url.h"

#include <catch2/catch.hpp>

using perigee::http::basic_credentials;
using perigee::http::client_target;
using perigee::http::ClientUrl;
using perigee::http::is_plain_target;
using perigee::http::parse_client_url;
using perigee::http::resolve_client_url;

TEST_CASE("client url: its parts are read, with what the scheme leaves out") {
  const ClientUrl url = *parse_client_url("HTTPS://Ann:p@Example.COM:8443/a/b?c=d#e");
  CHECK(url.secure);
  CHECK(url.host == "example.com");
  CHECK(url.port == 8443);
  CHECK(url.userinfo == "Ann:p");
  CHECK(url.target == "/a/b?c=d");
  CHECK(url.authority() == "example.com:8443");
  CHECK(url.text() == "https://example.com:8443/a/b?c=d");
  CHECK(parse_client_url("http://x")->target == "/");
  CHECK(parse_client_url("http://x?q")->target == "/?q");
  CHECK(parse_client_url("http://x")->authority() == "x");
  CHECK(parse_client_url("https://x:443")->authority() == "x");
  CHECK(parse_client_url("http://x:443")->authority() == "x:443");
  CHECK(parse_client_url("http://[2001:db8::1]:80/")->host == "2001:db8::1");
  CHECK(parse_client_url("http://[2001:db8::1]:81/")->authority() == "[2001:db8::1]:81");
  CHECK(parse_client_url("http://x/\xc3\xbc")->target == "/%C3%BC");
}

TEST_CASE("client url: a plain target is asked for as it is") {
  for (const char* plain : {"/", "/a/b?c=d&e=%20", "/~a!$'()*,;:@[]{}|^`\\\"<>"}) {
    CHECK(is_plain_target(plain));
    CHECK(client_target(plain) == std::string(plain));
  }
  for (const char* other : {"", "?a", "a", "/#", "/a b", "/\t", "/\r\n", "/\x7f", "/\xc3\xbc", "#"}) {
    CHECK_FALSE(is_plain_target(other));
  }
}

TEST_CASE("client url: what could end a line, or is none, is refused") {
  for (const char* bad : {"",
                          "x",
                          "//x",
                          "ftp://x",
                          "http://",
                          "http:///a",
                          "http://x/a b",
                          "http://x/a\r\nB: c",
                          "http://x/a\nb",
                          "http://x\t",
                          "http://x:0",
                          "http://x:65536",
                          "http://x:8a",
                          "http://x:-1",
                          "http://[::1",
                          "http://::1",
                          "http://a@",
                          "http://a b@x",
                          "http://x\\y",
                          "http://\xc3\xbc/",
                          "http://x/\x7f"}) {
    INFO(bad);
    CHECK_FALSE(parse_client_url(bad).has_value());
  }
  CHECK_FALSE(parse_client_url(std::string_view("http://x/a\0b", 12)).has_value());
}

TEST_CASE("client url: what stands behind the host is what is asked for") {
  using perigee::http::client_target;
  CHECK(*client_target("") == "/");
  CHECK(*client_target("?a") == "/?a");
  CHECK(*client_target("/a?b#c") == "/a?b");
  CHECK(*client_target("#c") == "/");
  CHECK(*client_target("/\xc3\xa9") == "/%C3%A9");
  CHECK_FALSE(client_target("/a b"));
  CHECK_FALSE(client_target("/#\n"));
}

TEST_CASE("client url: a location is read beside the url that it was given for") {
  const ClientUrl base = *parse_client_url("http://u:p@host:81/a/b/c?q");
  const std::pair<const char*, const char*> cases[] = {
      {"http://other/x", "http://other/x"},
      {"//other/x", "http://other/x"},
      {"/x", "http://host:81/x"},
      {"x", "http://host:81/a/b/x"},
      {"../x", "http://host:81/a/x"},
      {"../../../x", "http://host:81/x"},
      {"./", "http://host:81/a/b/"},
      {"..", "http://host:81/a/"},
      {"?z", "http://host:81/a/b/c?z"},
      {"#f", "http://host:81/a/b/c?q"},
      {"/a/./b/../c?x/../y", "http://host:81/a/c?x/../y"},
      {"x?u=http://y", "http://host:81/a/b/x?u=http://y"},
  };
  for (const auto& [reference, expected] : cases) {
    INFO(reference);
    const auto url = resolve_client_url(base, reference);
    REQUIRE(url.has_value());
    CHECK(url->text() == expected);
    CHECK(url->userinfo.empty());
  }
  for (const char* bad : {"ftp://x", "javascript:alert(1)", "http://", "/a b", "/a\r\nb"}) {
    INFO(bad);
    CHECK_FALSE(resolve_client_url(base, bad).has_value());
  }
}

TEST_CASE("client url: one origin is one scheme, host and port") {
  const ClientUrl url = *parse_client_url("http://x/a");
  CHECK(url.same_origin(*parse_client_url("http://X:80/b")));
  for (const char* other : {"https://x/", "http://y/", "http://x:81/"}) {
    CHECK_FALSE(url.same_origin(*parse_client_url(other)));
  }
}

TEST_CASE("client url: userinfo becomes credentials, decoded") {
  CHECK(basic_credentials("Aladdin:open%20sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(basic_credentials("a") == "Basic YTo=");
  CHECK(basic_credentials("ab:%zz") == "Basic YWI6JXp6");
}
