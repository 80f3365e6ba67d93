#include "client/http_connector.h"

#include "peer_door.h"

using perigee::client::HttpConnector;
using perigee::client::Network;
using perigee::net::EventLoop;

namespace {

struct Fixture {
  EventLoop loop;
  Network network{loop};
  Door door;
  HttpConnector::Plan plan;
  bool told = false;
  std::unique_ptr<perigee::net::Stream> stream;
  std::string error;

  explicit Fixture(const std::string& url) : plan{*perigee::http::parse_client_url(url), {}, false, {}} {}

  std::unique_ptr<HttpConnector> begin() {
    auto made = std::make_unique<HttpConnector>(network, plan, [this](auto found, const std::string& why) {
      told = true;
      stream = std::move(found);
      error = why;
    });
    made->start();
    return made;
  }
};

}  // namespace

TEST_CASE("http connector: two connections are equal in everything that may tell answers apart") {
  const auto key = [](const std::string& url, auto change) {
    HttpConnector::Plan plan{*perigee::http::parse_client_url(url), {}, false, {}};
    change(plan);
    return plan.key();
  };
  const auto plain = [](HttpConnector::Plan&) {};
  const std::string usual = key("https://x/a", plain);
  CHECK(key("https://X:443/b?c", plain) == usual);
  CHECK(key("http://x:443/", plain) != usual);
  CHECK(key("https://x:444/", plain) != usual);
  CHECK(key("https://y/", plain) != usual);
  CHECK(key("https://x/", [](auto& plan) { plan.block_private = true; }) != usual);
  CHECK(key("https://x/", [](auto& plan) { plan.proxy = {"p", 1, ""}; }) != usual);
  CHECK(key("https://x/", [](auto& plan) { plan.security.target.verify = false; }) != usual);
  CHECK(key("https://x/", [](auto& plan) { plan.security.identity.cert_file = "c"; }) != usual);
}

TEST_CASE("http connector: a proxy is asked for a tunnel, and its refusal told") {
  Fixture fixture("https://far.test/");
  fixture.plan.proxy = perigee::client::Proxy{"127.0.0.1", fixture.door.port(), "Basic eA=="};
  const auto connector = fixture.begin();
  REQUIRE(turn_until(fixture.loop, [&] { return fixture.door.knocked(); }));
  Peer peer = fixture.door.accept();
  REQUIRE(turn_until(fixture.loop, [&] {
    peer.receive();
    return peer.received().ends_with("\r\n\r\n");
  }));
  CHECK(peer.received() ==
        "CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\nProxy-Authorization: Basic eA==\r\n\r\n");
  CHECK(connector->stage() == "waiting for the proxy 127.0.0.1");
  const auto [answer, error] = GENERATE(table<std::string, std::string>({
      {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "refused: the proxy answers 403"},
      {"HTTP/1.1 200 OK\r\n\r\nstray", "refused: the proxy's answer is malformed: something stands behind it"},
      {"garbage\r\n\r\n", "refused: the proxy's answer is malformed: it does not begin with a status line of HTTP/1"},
  }));
  peer.send(answer);
  REQUIRE(turn_until(fixture.loop, [&] { return fixture.told; }));
  CHECK(fixture.stream == nullptr);
  CHECK(fixture.error == error);
}

TEST_CASE("http connector: a private address is blocked, before a proxy as well") {
  Fixture fixture("http://10.0.0.1/");
  fixture.plan.block_private = true;
  SECTION("behind a proxy") {
    fixture.plan.proxy = perigee::client::Proxy{"127.0.0.1", fixture.door.port(), ""};
  }
  SECTION("without one") {}
  const auto connector = fixture.begin();
  CHECK(fixture.told);
  CHECK(fixture.error == "refused: 10.0.0.1 is a private address, and those are blocked");
}
