#include "client/detours.h"

#include "client/http_connector.h"
#include "peer_door.h"

using perigee::client::Detours;

TEST_CASE("detours: a host has one at a port, or at any; a port of its own counts for more") {
  Detours detours;
  CHECK(detours.find("a.test", 80) == 0);
  detours.add("a.test", 0, 1001);
  detours.add("a.test", 81, 1002);
  CHECK(detours.find("a.test", 80) == 1001);
  CHECK(detours.find("a.test", 81) == 1002);
  CHECK(detours.find("b.a.test", 80) == 0);
  detours.add("a.test", 0, 1003);
  CHECK(detours.find("a.test", 80) == 1003);
  detours.remove(1002);
  CHECK(detours.find("a.test", 81) == 1003);
  detours.remove(1003);
  CHECK(detours.find("a.test", 81) == 0);
}

TEST_CASE("detours: they are taken past proxies, blocked addresses and TLS") {
  perigee::net::EventLoop loop;
  perigee::client::Network network{loop};
  Door door;
  Detours detours;
  detours.add("far.test", 443, door.port());
  network.set_detours(&detours);
  perigee::client::HttpConnector::Plan plan{*perigee::http::parse_client_url("https://far.test/"), {}, true, {}};
  plan.proxy = perigee::client::Proxy{"127.0.0.1", 1, ""};
  bool connected = false;
  perigee::client::HttpConnector connector(network, plan, [&](auto stream, const std::string& error) {
    CHECK(error.empty());
    connected = stream != nullptr;
  });
  connector.start();
  REQUIRE(turn_until(loop, [&] { return connected; }));
  CHECK(door.knocked());
}
