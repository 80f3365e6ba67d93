#include "client/proxy.h"

#include <catch2/catch.hpp>

using perigee::client::Proxy;
using perigee::client::ProxyRules;
using perigee::http::parse_client_url;

TEST_CASE("proxy: it is read from a url, credentials and all") {
  const Proxy proxy = *Proxy::parse("http://ann:s%40c@proxy.test:3128/");
  CHECK(proxy.host == "proxy.test");
  CHECK(proxy.port == 3128);
  CHECK(proxy.credentials == "Basic YW5uOnNAYw==");
  CHECK(Proxy::parse("proxy.test:3128")->port == 3128);
  CHECK(Proxy::parse("http://proxy.test")->port == 80);
  CHECK_FALSE(Proxy::parse("https://proxy.test").has_value());
  CHECK_FALSE(Proxy::parse("socks5://proxy.test").has_value());
}

TEST_CASE("proxy rules: each scheme has its own; this machine and what is exempt are reached without") {
  const ProxyRules rules("http://plain.test:1", "http://secure.test:2",
                         "exempt.test, .Dotted.test,*.star.test,10.0.0.0/8,only.test:81,::2");
  const auto host = [&](const char* url) {
    const Proxy* found = rules.find(*parse_client_url(url));
    return found == nullptr ? "" : found->host;
  };
  CHECK(host("http://far.test") == "plain.test");
  CHECK(host("https://far.test") == "secure.test");
  for (const char* direct : {"http://exempt.test", "http://a.exempt.test", "http://dotted.test", "http://a.dotted.test",
                             "http://a.star.test", "http://10.1.2.3", "http://only.test:81", "http://[::2]/",
                             "http://localhost", "http://127.0.0.9", "http://[::1]", "http://a.localhost"}) {
    INFO(direct);
    CHECK(host(direct).empty());
  }
  for (const char* proxied :
       {"http://notexempt.test", "http://exempt.test.far", "http://11.0.0.1", "http://only.test"}) {
    INFO(proxied);
    CHECK(host(proxied) == "plain.test");
  }
  CHECK(ProxyRules("http://p", "", "*").find(*parse_client_url("http://x")) == nullptr);
  CHECK(ProxyRules().find(*parse_client_url("http://x")) == nullptr);
}

TEST_CASE("proxy rules: what can't be read is left out and told") {
  const ProxyRules rules("https://p", "http://good", "");
  REQUIRE(rules.mistakes().size() == 1);
  CHECK(rules.mistakes()[0].starts_with("http_proxy in the environment is left out: "));
  CHECK(rules.find(*parse_client_url("http://x")) == nullptr);
  CHECK(rules.find(*parse_client_url("https://x")) != nullptr);
}
