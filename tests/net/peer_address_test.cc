#include "net/peer_address.h"

#include <arpa/inet.h>

#include <catch2/catch.hpp>

using perigee::net::PeerAddress;

namespace {

PeerAddress v4(const char* host, int port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  REQUIRE(inet_pton(AF_INET, host, &address.sin_addr) == 1);
  return PeerAddress::of(storage);
}

PeerAddress v6(const char* host, int port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  REQUIRE(inet_pton(AF_INET6, host, &address.sin6_addr) == 1);
  return PeerAddress::of(storage);
}

PeerAddress unix_peer() {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  return PeerAddress::of(storage);
}

}  // namespace

TEST_CASE("peer address: it keeps host and port of either family") {
  CHECK(v4("10.20.30.40", 1234).text() == "10.20.30.40");
  CHECK(v4("0.0.0.0", 1).text() == "0.0.0.0");
  CHECK(v4("255.255.255.255", 1).text() == "255.255.255.255");
  CHECK(v4("10.20.30.40", 1234).port == 1234);
  CHECK(v6("2001:db8::1", 65535).text() == "2001:db8::1");
  CHECK(v6("2001:db8::1", 65535).port == 65535);
  CHECK(v6("::1", 1).text() == "::1");
}

TEST_CASE("peer address: an IPv4 address inside IPv6 is the IPv4 address") {
  const PeerAddress inside = v6("::ffff:10.20.30.40", 7);
  CHECK(inside.text() == "10.20.30.40");
  CHECK(inside.family == AF_INET);
  CHECK(inside.port == 7);
  CHECK(inside.same_host(v4("10.20.30.40", 8)));
}

TEST_CASE("peer address: a unix peer has no host") {
  CHECK(unix_peer().text() == "unix");
  CHECK(PeerAddress().text() == "unix");
  CHECK(unix_peer().same_host(unix_peer()));
}

TEST_CASE("peer address: a host is the same whatever its port") {
  CHECK(v4("127.0.0.1", 1).same_host(v4("127.0.0.1", 2)));
  CHECK_FALSE(v4("127.0.0.1", 1).same_host(v4("127.0.0.2", 1)));
  CHECK(v6("::1", 1).same_host(v6("::1", 2)));
  CHECK_FALSE(v6("::1", 1).same_host(v6("::2", 1)));
  CHECK_FALSE(v4("0.0.0.0", 1).same_host(v6("::", 1)));
  CHECK_FALSE(v4("0.0.0.0", 1).same_host(unix_peer()));
}

TEST_CASE("peer address: text is read as it is written") {
  const char* text = GENERATE("192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "fe80::1");
  INFO(text);
  const auto peer = PeerAddress::parse(text);
  REQUIRE(peer.has_value());
  CHECK(peer->text() == text);
  CHECK(peer->port == 0);
}

TEST_CASE("peer address: IPv4 within IPv6 is read as IPv4") {
  CHECK(PeerAddress::parse("::ffff:192.0.2.1")->text() == "192.0.2.1");
  CHECK(PeerAddress::parse("::FFFF:c000:201")->same_host(v4("192.0.2.1", 5)));
}

TEST_CASE("peer address: what is no address is none") {
  const std::string text = GENERATE(as<std::string>(), "", "unix", "localhost", "192.0.2", "192.0.2.256", "192.0.2.01",
                                    "192.0.2.1:80", "[::1]", ":::", "::1%lo", " ::1", "::1 ", "1", std::string(46, ':'),
                                    std::string("::1\0", 4), std::string(5000, '1'));
  INFO(text);
  CHECK_FALSE(PeerAddress::parse(text).has_value());
}
