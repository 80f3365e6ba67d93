#include "client/connecting.h"

#include "peer_door.h"

using perigee::client::Connecting;
using perigee::client::Destination;
using perigee::client::Network;
using perigee::client::usable_addresses;
using perigee::net::EventLoop;
using perigee::net::PeerAddress;

TEST_CASE("connecting: a destination is written as it is read") {
  CHECK(Destination{"example.com", 80}.text() == "example.com:80");
  CHECK(Destination{"::1", 80}.text() == "[::1]:80");
  CHECK(Destination{"unix:/run/x", 0}.text() == "unix:/run/x");
}

TEST_CASE("connecting: private addresses are left out where they are blocked") {
  const perigee::net::NameAnswer answer{{*PeerAddress::parse("10.0.0.1"), *PeerAddress::parse("1.1.1.1")}, ""};
  CHECK(usable_addresses(answer, {"x.test", 80, false})->size() == 2);
  const auto left = usable_addresses(answer, {"x.test", 80, true});
  REQUIRE(left->size() == 1);
  CHECK(left->front().text() == "1.1.1.1:80");
  const perigee::net::NameAnswer own{{*PeerAddress::parse("127.0.0.1")}, ""};
  CHECK(usable_addresses(own, {"x.test", 80, true}).error().message ==
        "refused: x.test is a private address, and those are blocked");
  CHECK(usable_addresses({{}, "dns: no such name: x"}, {"x", 80}).error().message == "dns: no such name: x");
}

TEST_CASE("connecting: what is blocked or no path fails at once, and may end the attempt") {
  EventLoop loop;
  Network network(loop);
  for (const Destination& destination :
       {Destination{"127.0.0.1", 80, true}, Destination{"unix:/run/x", 0, true}, Destination{"unix:", 0, false}}) {
    std::unique_ptr<Connecting> connecting;
    std::string told;
    connecting = std::make_unique<Connecting>(network, destination, [&](int fd, const std::string& error) {
      CHECK(fd == -1);
      told = error;
      connecting.reset();
    });
    connecting->start();
    CHECK(told.starts_with("refused: "));
  }
}

TEST_CASE("connecting: it connects, and says what it is at") {
  EventLoop loop;
  Network network(loop);
  const Door door;
  int connected = -1;
  Connecting connecting(network, {"127.0.0.1", door.port()}, [&](int fd, const std::string&) { connected = fd; });
  CHECK(connecting.stage() == "looking up 127.0.0.1");
  connecting.start();
  CHECK(connecting.stage() == "connecting to 127.0.0.1:" + std::to_string(door.port()));
  REQUIRE(turn_until(loop, [&] { return connected >= 0; }));
  ::close(connected);
}
