#include "net/address_set.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using perigee::net::AddressSet;
using perigee::net::PeerAddress;

namespace {

AddressSet set_of(const std::vector<std::string>& texts) {
  AddressSet set;
  for (const std::string& text : texts) {
    INFO(text);
    REQUIRE(set.add(text).has_value());
  }
  return set;
}

PeerAddress address(const std::string& text) {
  const auto peer = PeerAddress::parse(text);
  INFO(text);
  REQUIRE(peer.has_value());
  return *peer;
}

PeerAddress unix_peer() {
  PeerAddress peer;
  peer.family = AF_UNIX;
  return peer;
}

}  // namespace

TEST_CASE("address set: an empty one holds nobody") {
  const AddressSet set;
  CHECK(set.empty());
  CHECK_FALSE(set.contains(address("127.0.0.1")));
  CHECK_FALSE(set.contains(address("::")));
  CHECK_FALSE(set.contains(unix_peer()));
  CHECK_FALSE(set.contains(PeerAddress()));
}

TEST_CASE("address set: an address or a network holds what lies in it and nothing beside it") {
  struct Case {
    std::string network;
    std::vector<std::string> inside;
    std::vector<std::string> outside;
  };
  const Case c = GENERATE(values<Case>({
      {"192.0.2.1", {"192.0.2.1", "::ffff:192.0.2.1"}, {"192.0.2.0", "192.0.2.2", "::1", "::192.0.2.1"}},
      {"10.0.0.0/8", {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"}, {"9.255.255.255", "11.0.0.0"}},
      {"10.4.0.0/14", {"10.4.0.0", "10.7.255.255"}, {"10.3.255.255", "10.8.0.0"}},
      {"192.0.2.254/31", {"192.0.2.254", "192.0.2.255"}, {"192.0.2.253"}},
      {"192.0.2.1/32", {"192.0.2.1"}, {"192.0.2.0"}},
      {"0.0.0.0/0", {"1.2.3.4", "255.255.255.255"}, {"::1", "2001:db8::"}},
      {"::/0", {"::", "ffff::"}, {"1.2.3.4", "::ffff:1.2.3.4"}},
      {"2001:db8::/33", {"2001:db8::", "2001:db8:7fff::1"}, {"2001:db8:8000::", "2001:db9::"}},
      {"::1", {"::1"}, {"::", "::2", "127.0.0.1"}},
      {"fe80::/10", {"fe80::1", "febf::"}, {"fec0::"}},
      {"::ffff:10.0.0.0/104", {"10.1.2.3", "::ffff:10.1.2.3"}, {"11.0.0.0", "::10.0.0.1"}},
      {"::ffff:192.0.2.1", {"192.0.2.1"}, {"192.0.2.2"}},
      {"::ffff:0:0/96", {"1.2.3.4"}, {"::1"}},
  }));
  const AddressSet set = set_of({c.network});
  INFO(c.network);
  CHECK_FALSE(set.empty());
  CHECK_FALSE(set.contains(unix_peer()));
  for (const std::string& text : c.inside) {
    INFO(text);
    CHECK(set.contains(address(text)));
  }
  for (const std::string& text : c.outside) {
    INFO(text);
    CHECK_FALSE(set.contains(address(text)));
  }
}

TEST_CASE("address set: unix is every peer of a Unix socket and nobody else") {
  const AddressSet set = set_of({"unix"});
  CHECK_FALSE(set.empty());
  CHECK(set.contains(unix_peer()));
  CHECK_FALSE(set.contains(address("0.0.0.0")));
  CHECK_FALSE(set.contains(PeerAddress()));
}

TEST_CASE("address set: what is added adds up") {
  const AddressSet set = set_of({"10.0.0.0/8", "::1", "unix", "192.0.2.0/24"});
  CHECK(set.contains(address("192.0.2.77")));
  CHECK(set.contains(address("::1")));
  CHECK(set.contains(address("10.0.0.1")));
  CHECK(set.contains(unix_peer()));
  CHECK_FALSE(set.contains(address("127.0.0.1")));
}

TEST_CASE("address set: what is neither address nor network is refused") {
  const std::string text = GENERATE(
      as<std::string>(), "", "/", "localhost", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/ 8",
      "10.0.0.0/8/8", "10.0.0.1/8", "10/8", "10.0.0/24", "256.0.0.1", "1.2.3.4:80", "[::1]", "::1/129", "::1/127",
      "2001:db8::1/32", "::ffff:10.0.0.0/8", "fe80::1%eth0", "Unix", "unix/8", " ::1", "10.0.0.0/255.0.0.0",
      std::string("10.0.0.1\0", 9), std::string(100, '1'), "10.0.0.0/99999999999999999999");
  INFO(text);
  AddressSet set;
  const auto added = set.add(text);
  REQUIRE_FALSE(added.has_value());
  CHECK_FALSE(added.error().message.empty());
  CHECK(set.empty());
}
