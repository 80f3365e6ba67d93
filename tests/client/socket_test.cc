#include "client/socket.h"

#include "peer_door.h"

using perigee::client::Network;
using perigee::client::Socket;
using perigee::client::StreamPool;
using perigee::net::EventLoop;
using Step = perigee::client::Socket::Step;

namespace {

// A socket that is connected to a peer of the test's.
struct Fixture {
  EventLoop loop;
  Network network{loop, [] {
                    perigee::client::NetworkSettings settings;
                    settings.most_received = 1000;
                    return settings;
                  }()};
  StreamPool pool;
  Door door;
  Socket socket{network, pool};
  bool woken = false;

  template <typename Operation>
  Step step(Operation operation) {
    Step result = Step::kWaits;
    REQUIRE(turn_until(loop, [&] {
      loop.timers().advance(perigee::monotonic_ms());
      result = operation();
      if (result == Step::kWaits) {
        socket.sleep([this] { woken = true; });
      }
      return result != Step::kWaits;
    }));
    return result;
  }
  Step connect() {
    socket.begin_connect({"127.0.0.1", door.port()}, "", nullptr, 5000);
    return step([this] { return socket.connect(); });
  }
  std::string line() {
    socket.begin_receive(5000);
    CHECK(step([this] { return socket.receive_line(); }) == Step::kDone);
    std::string text(socket.received());
    socket.take();
    return text;
  }
};

}  // namespace

TEST_CASE("socket: it connects, sends, and receives lines") {
  Fixture fixture;
  REQUIRE(fixture.connect() == Step::kDone);
  Peer peer = fixture.door.accept();
  fixture.socket.begin_send(5000);
  fixture.socket.output() = "hello";
  CHECK(fixture.step([&] { return fixture.socket.send(); }) == Step::kDone);
  REQUIRE(turn_until(fixture.loop, [&] {
    peer.receive();
    return peer.received() == "hello";
  }));
  peer.send("one\r\ntwo\n");
  CHECK(fixture.line() == "one");
  CHECK(fixture.line() == "two");
}

TEST_CASE("socket: a wait that ends by its deadline is a timeout, and leaves the connection") {
  Fixture fixture;
  REQUIRE(fixture.connect() == Step::kDone);
  Peer peer = fixture.door.accept();
  peer.send("half");
  fixture.socket.begin_receive(30);
  CHECK(fixture.step([&] { return fixture.socket.receive_line(); }) == Step::kFailed);
  CHECK(fixture.socket.error() == "timeout");
  CHECK(fixture.woken);
  CHECK(fixture.socket.received() == "half");
  fixture.socket.take();
  peer.send("whole\n");
  CHECK(fixture.line() == "whole");
}

TEST_CASE("socket: nobody is woken after an operation has ended") {
  Fixture fixture;
  REQUIRE(fixture.connect() == Step::kDone);
  Peer peer = fixture.door.accept();
  fixture.socket.begin_receive(20);
  fixture.woken = false;
  CHECK(fixture.socket.receive_line() == Step::kWaits);
  fixture.socket.sleep([&] { fixture.woken = true; });
  fixture.socket.close();
  peer.send("x\n");
  turn(fixture.loop);
  fixture.loop.timers().advance(perigee::monotonic_ms() + 100);
  CHECK_FALSE(fixture.woken);
}

TEST_CASE("socket: one receive collects no more than the settings say") {
  Fixture fixture;
  REQUIRE(fixture.connect() == Step::kDone);
  Peer peer = fixture.door.accept();
  peer.send(std::string(5000, 'x'));
  fixture.socket.begin_receive(5000);
  CHECK(fixture.step([&] { return fixture.socket.receive_all(); }) == Step::kFailed);
  CHECK(fixture.socket.error() == "too_large");
  CHECK(fixture.socket.received().size() == 1000);
}

TEST_CASE("socket: keep_alive gives the connection to the next, unless bytes are unread") {
  Fixture fixture;
  REQUIRE(fixture.connect() == Step::kDone);
  Peer peer = fixture.door.accept();
  CHECK(fixture.socket.keep_alive(1000, 4));
  CHECK_FALSE(fixture.socket.connected());
  REQUIRE(fixture.connect() == Step::kDone);
  CHECK(fixture.socket.uses() == 1);
  peer.send("a\nb");
  CHECK(fixture.line() == "a");
  CHECK_FALSE(fixture.socket.keep_alive(1000, 4));
  CHECK(fixture.socket.error() == "closed: bytes of it were not read");
  CHECK(fixture.pool.size() == 0);
}

TEST_CASE("socket: TLS is part of what must be equal") {
  Socket::Security one;
  one.target.server_name = "a";
  Socket::Security other = one;
  CHECK(one.key() == other.key());
  other.target.verify = false;
  CHECK(one.key() != other.key());
  other = one;
  other.identity.ca_file = "x";
  CHECK(one.key() != other.key());
}
