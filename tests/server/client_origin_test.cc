#include "server/client_origin.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/head_scanner.h"

using namespace perigee::server;
using perigee::http::HeadLimits;
using perigee::http::HeadScanner;
using perigee::net::AddressSet;
using perigee::net::PeerAddress;

namespace {

PeerAddress unix_peer() {
  PeerAddress peer;
  peer.family = AF_UNIX;
  return peer;
}

// "address scheme" of a request with these lines that came from `direct`.
std::string origin(const std::string& lines, const std::string& direct = "10.0.0.1", bool secure = false) {
  AddressSet trusted;
  for (const char* proxy : {"10.0.0.0/8", "2001:db8:1::/48", "unix"}) {
    REQUIRE(trusted.add(proxy).has_value());
  }
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
  perigee::http::RequestHead head;
  HeadScanner scanner;
  REQUIRE(scanner.scan(text.data(), text.size(), HeadLimits(), head) == HeadScanner::Verdict::kComplete);
  const PeerAddress peer = direct == "unix" ? unix_peer() : PeerAddress::parse(direct).value();
  const ClientOrigin found = client_origin(head, {peer, secure}, trusted);
  return found.address.text() + (found.secure ? " https" : " http");
}

}  // namespace

TEST_CASE("client origin: an untrusted peer is the client, whatever it claims") {
  const std::string lines = GENERATE(as<std::string>(), "", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n",
                                     "X-Forwarded-For: 10.0.0.1\r\n", "Forwarded: for=1.2.3.4;proto=https\r\n",
                                     "X-Forwarded-Proto: https\r\n");
  INFO(lines);
  CHECK(origin(lines, "192.0.2.7") == "192.0.2.7 http");
  CHECK(origin(lines, "192.0.2.7", true) == "192.0.2.7 https");
  CHECK(origin(lines, "2001:db8:2::1") == "2001:db8:2::1 http");
  CHECK(origin(lines, "::1") == "::1 http");
}

TEST_CASE("client origin: a trusted peer's word counts up to the first hop that is not trusted") {
  struct Case {
    std::string lines, expected;
  };
  const Case c = GENERATE(values<Case>({
      {"", "10.0.0.1 http"},
      {"X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7 http"},
      {"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "192.0.2.7 https"},
      {"X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "192.0.2.7 https"},
      {"X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.2, 2001:db8:1::5, ::ffff:10.0.0.3\r\n", "192.0.2.7 http"},
      {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.0.0.2\r\n", "192.0.2.7 http"},
      {"X-Forwarded-For: ::ffff:192.0.2.7\r\n", "192.0.2.7 http"},
      {"X-Forwarded-For: 10.0.0.9, 10.0.0.8\r\n", "10.0.0.9 http"},
      {"X-Forwarded-For: 192.0.2.7, 10.0.0.2\r\nX-Forwarded-Proto: https, http\r\n", "192.0.2.7 https"},
      {"X-Forwarded-For: 192.0.2.7, 10.0.0.2\r\nX-Forwarded-Proto: http, https\r\n", "192.0.2.7 http"},
      {"X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Proto: https, http\r\n", "192.0.2.7 http"},
      {"X-Forwarded-Proto: https\r\n", "10.0.0.1 https"},
      {"Forwarded: for=6.6.6.6;proto=http, for=192.0.2.7;proto=https\r\n", "192.0.2.7 https"},
      {"Forwarded: for=192.0.2.7;proto=https, for=10.0.0.2;proto=http\r\n", "192.0.2.7 https"},
      {"Forwarded: for=192.0.2.7, for=10.0.0.2;proto=https\r\n", "192.0.2.7 https"},
      {"Forwarded: for=\"[2001:db8:2::7]:443\";proto=https\r\n", "2001:db8:2::7 https"},
      {"Forwarded: proto=https\r\n", "10.0.0.1 https"},
      {"X-Forwarded-For: 192.0.2.7\r\nForwarded: for=6.6.6.6;proto=https\r\n", "192.0.2.7 http"},
  }));
  INFO(c.lines);
  CHECK(origin(c.lines) == c.expected);
  const std::string by_unix = origin(c.lines, "unix");
  CHECK(by_unix == (c.expected.starts_with("10.0.0.1 ") ? "unix" + c.expected.substr(8) : c.expected));
}

TEST_CASE("client origin: what is hidden or malformed ends the way at the last good hop") {
  struct Case {
    std::string lines, expected;
  };
  const Case c = GENERATE(values<Case>({
      {"X-Forwarded-For: banana\r\n", "10.0.0.1 http"},
      {"X-Forwarded-For: 6.6.6.6, banana, 10.0.0.2\r\n", "10.0.0.2 http"},
      {"X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.2\r\n", "10.0.0.2 http"},
      {"X-Forwarded-For: 6.6.6.6, 999.0.0.1\r\n", "10.0.0.1 http"},
      {"X-Forwarded-For: 6.6.6.6, fe80::1%eth0\r\n", "10.0.0.1 http"},
      {"X-Forwarded-For: \"192.0.2.7\"\r\n", "10.0.0.1 http"},
      {"X-Forwarded-For: 192.0.2.7 6.6.6.6\r\n", "10.0.0.1 http"},
      {"Forwarded: for=6.6.6.6, for=_secret;proto=https, for=10.0.0.2\r\n", "10.0.0.2 https"},
      {"Forwarded: for=6.6.6.6;proto=https, for=10.0.0.2 for=10.0.0.3\r\n", "10.0.0.1 http"},
      {"Forwarded: for=banana;proto=https\r\n", "10.0.0.1 http"},
      {"Forwarded: for=6.6.6.6;proto=https, \"\r\n", "10.0.0.1 http"},
      {"Forwarded: for=6.6.6.6\r\nForwarded: for=10.0.0.2;proto=https\r\nForwarded: for=10.0.0.3\r\n", "6.6.6.6 https"},
  }));
  INFO(c.lines);
  CHECK(origin(c.lines) == c.expected);
}
