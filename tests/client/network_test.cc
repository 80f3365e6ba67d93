#include "client/network.h"

#include <catch2/catch.hpp>

using perigee::client::Network;
using perigee::client::NetworkSettings;
using perigee::net::EventLoop;
using perigee::net::PeerAddress;

TEST_CASE("network: private addresses are told from those of the Internet") {
  for (const char* text : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
                           "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1",
                           "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"}) {
    INFO(text);
    CHECK(Network::is_private(*PeerAddress::parse(text)));
  }
  for (const char* text :
       {"1.1.1.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"}) {
    INFO(text);
    CHECK_FALSE(Network::is_private(*PeerAddress::parse(text)));
  }
}

TEST_CASE("network: an identity's context is made once; files that can't be read are an error") {
  EventLoop loop;
  Network network(loop);
  const auto first = network.tls({});
  REQUIRE(first.has_value());
  CHECK(*network.tls({}) == *first);
  const auto missing = network.tls({"/nowhere/ca.pem", "", ""});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message.starts_with("tls: the trusted certificates in '/nowhere/ca.pem' can't be read"));
}

TEST_CASE("network: other nameservers come with another resolver, while the old one lives as long as it is needed") {
  EventLoop loop;
  Network network(loop);
  const auto before = network.resolver();
  network.apply({});
  CHECK(network.resolver() == before);
  NetworkSettings settings;
  settings.names.nameservers = {"127.0.0.1:1"};
  network.apply(settings);
  CHECK(network.resolver() != before);
}
