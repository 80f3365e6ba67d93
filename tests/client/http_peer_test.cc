#include "client/http_peer.h"

#include <catch2/catch.hpp>

using perigee::client::HttpPeers;
using perigee::client::Network;
using perigee::client::NetworkSettings;
using perigee::net::EventLoop;

TEST_CASE("http peers: the urls of one host share a peer, and each has its target") {
  EventLoop loop;
  Network network(loop);
  HttpPeers& peers = network.http_peers();
  const auto first = peers.find(network, "http://Example.com:81/a?b#c");
  REQUIRE(first);
  CHECK(first->is_new);
  CHECK(first->target == "/a?b");
  CHECK(first->peer->name == "example.com:81");
  CHECK(first->peer->host == "example.com:81");
  CHECK_FALSE(first->peer->plan.url.secure);
  const auto second = peers.find(network, "http://Example.com:81?x");
  REQUIRE(second);
  CHECK_FALSE(second->is_new);
  CHECK(second->target == "/?x");
  CHECK(second->peer == first->peer);
  for (const char* url : {"https://Example.com:81/", "http://Example.com:82", "http://a:b@Example.com:81"}) {
    const auto other = peers.find(network, url);
    REQUIRE(other);
    CHECK(other->peer != first->peer);
    CHECK(other->target == "/");
  }
}

TEST_CASE("http peers: what is no url is refused, whether its host is known or not") {
  EventLoop loop;
  Network network(loop);
  REQUIRE(network.http_peers().find(network, "http://x/"));
  for (const char* url :
       {"http://x/ ", "http://x/\r\nA: b", "http://x\t/", "x", "", "ftp://x/", "http://", "http://x:0/"}) {
    CHECK_FALSE(network.http_peers().find(network, url));
  }
}

TEST_CASE("http peers: new settings make new peers") {
  EventLoop loop;
  Network network(loop);
  const auto before = network.http_peers().find(network, "http://x/");
  REQUIRE(before);
  NetworkSettings settings;
  settings.block_private = true;
  network.apply(settings);
  const auto after = network.http_peers().find(network, "http://x/");
  REQUIRE(after);
  CHECK(after->is_new);
  CHECK(after->peer->plan.block_private);
  CHECK_FALSE(before->peer->plan.block_private);
  CHECK(after->peer->plan.key() != before->peer->plan.key());
}

TEST_CASE("http peers: they are bounded") {
  EventLoop loop;
  Network network(loop);
  for (std::size_t i = 0; i <= HttpPeers::kMost; ++i) {
    REQUIRE(network.http_peers().find(network, "http://host" + std::to_string(i) + "/"));
  }
  CHECK(network.http_peers().find(network, "http://host0/")->is_new);
  CHECK_FALSE(network.http_peers().find(network, "http://host" + std::to_string(HttpPeers::kMost) + "/")->is_new);
}

TEST_CASE("http peers: a url with a path is recalled by its origin, and no other") {
  EventLoop loop;
  Network network(loop);
  HttpPeers& peers = network.http_peers();
  CHECK(peers.recall("http://x/") == nullptr);
  const auto found = peers.find(network, "http://x/");
  REQUIRE(found);
  for (const char* url : {"http://x/", "http://x/a?b"}) {
    const auto* known = peers.recall(url);
    REQUIRE(known != nullptr);
    CHECK(known->peer == found->peer);
    CHECK(known->origin == "http://x");
  }
  for (const char* url :
       {"http://x", "http://x?a", "http://x:80/", "http://xy/", "http://x#/", "https://x/", "/", ""}) {
    CHECK(peers.recall(url) == nullptr);
  }
  network.apply(NetworkSettings());
  CHECK(peers.recall("http://x/") == nullptr);
}

TEST_CASE("http peers: of many those found last are recalled") {
  EventLoop loop;
  Network network(loop);
  HttpPeers& peers = network.http_peers();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(peers.find(network, "http://host" + std::to_string(i) + "/"));
  }
  CHECK(peers.recall("http://host0/") == nullptr);
  REQUIRE(peers.recall("http://host99/") != nullptr);
  CHECK(peers.recall("http://host99/")->peer->host == "host99");
  REQUIRE(peers.find(network, "http://host0/"));
  CHECK(peers.recall("http://host0/") != nullptr);
}
