#include "client/http_call.h"

#include "peer_door.h"

using perigee::client::HttpCall;
using perigee::client::HttpPeer;
using perigee::client::Network;
using perigee::net::EventLoop;

namespace {

struct Fixture {
  EventLoop loop;
  Network network{loop};
  Door door;

  [[nodiscard]] HttpCall::Request request(const std::string& method = "GET") {
    HttpCall::Request made;
    made.method = method;
    made.target = "/x";
    made.peer = std::make_shared<const HttpPeer>(
        network,
        usual_plan(network, *perigee::http::parse_client_url("http://127.0.0.1:" + std::to_string(door.port()))));
    made.fields = "A: b\r\n";
    made.total = 5000;
    made.most = 1000;
    return made;
  }

  template <typename Condition>
  [[nodiscard]] bool turn_to(Condition condition) {
    return turn_until(loop, [&] {
      loop.timers().advance(perigee::monotonic_ms());
      return condition();
    });
  }

  /// The peer that the call connects to, once it has sent its request.
  [[nodiscard]] Peer peer(std::size_t bytes = 1) {
    REQUIRE(turn_to([&] { return door.knocked(); }));
    Peer made = door.accept();
    REQUIRE(turn_to([&] {
      made.receive();
      return made.received().size() >= bytes;
    }));
    return made;
  }
};

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

}  // namespace

TEST_CASE("http call: a request goes out, its answer comes in, and the connection is kept") {
  Fixture fixture;
  HttpCall call(fixture.network);
  bool woken = false;
  call.start(fixture.request());
  call.set_waker([&] { woken = true; });
  Peer peer = fixture.peer();
  CHECK(peer.received() ==
        "GET /x HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(fixture.door.port()) + "\r\nA: b\r\n\r\n");
  peer.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(woken);
  CHECK_FALSE(call.failed());
  CHECK(call.answer().status() == 200);
  CHECK(call.answer().body() == "hello");
  CHECK(fixture.network.http_pool().size() == 1);

  HttpCall second(fixture.network);
  second.start(fixture.request("POST"));
  peer.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return second.answered(); }));
  CHECK_FALSE(fixture.door.knocked());
  const auto& stats = fixture.network.hosts().of("127.0.0.1:" + std::to_string(fixture.door.port()));
  CHECK(stats.requests == 2);
  CHECK(stats.reused == 1);
  CHECK(stats.open == 1);
  CHECK(stats.busy == 0);
}

TEST_CASE("http call: a pooled connection that was dead is replaced for a GET, and not for a POST") {
  const std::string method = GENERATE("GET", "POST");
  Fixture fixture;
  HttpCall first(fixture.network);
  first.start(fixture.request());
  Peer peer = fixture.peer();
  peer.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return first.answered(); }));

  HttpCall second(fixture.network);
  second.start(fixture.request(method));
  peer.close();  // it dies when the request is on its way
  if (method == "POST") {
    REQUIRE(fixture.turn_to([&] { return second.answered(); }));
    CHECK(second.failed());
    CHECK_FALSE(fixture.door.knocked());
  } else {
    Peer again = fixture.peer();
    again.send(kAnswer);
    REQUIRE(fixture.turn_to([&] { return second.answered(); }));
    CHECK(second.answer().body() == "hello");
  }
}

TEST_CASE("http call: bytes behind the answer keep the connection from being used again") {
  Fixture fixture;
  HttpCall call(fixture.network);
  call.start(fixture.request());
  Peer peer = fixture.peer();
  peer.send(kAnswer + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen");
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(call.answer().body() == "hello");
  CHECK(fixture.network.http_pool().size() == 0);
}

TEST_CASE("http call: too large an answer ends it") {
  Fixture fixture;
  HttpCall call(fixture.network);
  call.start(fixture.request());
  Peer peer = fixture.peer();
  peer.send("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'));
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(call.error() == "too_large: the answer has more than 1000 bytes");
}

TEST_CASE("http call: a deadline says what it was at") {
  Fixture fixture;
  auto request = fixture.request();
  request.total = 30;
  HttpCall call(fixture.network);
  bool woken = false;
  call.start(std::move(request));
  call.set_waker([&] { woken = true; });
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(call.error() == "timeout: waiting for the answer of 127.0.0.1");
  CHECK(woken);
  CHECK(fixture.network.hosts().of("127.0.0.1:" + std::to_string(fixture.door.port())).errors.at("timeout") == 1);
}

TEST_CASE("http call: one that is kept gives its body in parts, and waits for its reader") {
  Fixture fixture;
  auto request = fixture.request();
  request.keeps = true;
  request.most = 0;
  HttpCall call(fixture.network);
  call.start(std::move(request));
  Peer peer = fixture.peer();
  peer.send("HTTP/1.1 200 OK\r\n\r\n");
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK_FALSE(call.ended());
  const std::string block(64 * 1024, 'x');
  std::size_t sent = 0;
  for (int i = 0; i < 1000; ++i) {
    const ssize_t count = peer.send(block);
    sent += count > 0 ? static_cast<std::size_t>(count) : 0;
    turn(fixture.loop);
  }
  CHECK(call.answer().body().size() < 512 * 1024);
  std::size_t taken = 0;
  peer.finish_sending();
  REQUIRE(fixture.turn_to([&] {
    taken += call.answer().body().size();
    call.take_body();
    return call.ended() && call.answer().body().empty();
  }));
  CHECK(taken == sent);
}

TEST_CASE("http call: a body that comes in parts goes out chunked") {
  Fixture fixture;
  auto request = fixture.request("POST");
  request.streams = true;
  HttpCall call(fixture.network);
  call.start(std::move(request));
  CHECK(call.write("hello"));
  Peer peer = fixture.peer(80);
  CHECK(call.write("0123456789abcdef"));
  call.end_body();
  REQUIRE(fixture.turn_to([&] {
    peer.receive();
    return peer.received().ends_with("\r\n0\r\n\r\n");
  }));
  CHECK(
      peer.received().ends_with("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"));
  peer.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(call.answer().body() == "hello");
}

TEST_CASE("http call: one that is destroyed on its way tells nobody, and closes its connection") {
  Fixture fixture;
  bool woken = false;
  auto call = std::make_unique<HttpCall>(fixture.network);
  call->start(fixture.request());
  call->set_waker([&] { woken = true; });
  Peer peer = fixture.peer();
  call.reset();
  REQUIRE(fixture.turn_to([&] { return !peer.receive(); }));
  CHECK_FALSE(woken);
}

TEST_CASE("http call: one that has ended may start anew") {
  Fixture fixture;
  HttpCall call(fixture.network);
  call.start(fixture.request());
  Peer peer = fixture.peer();
  peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(call.answer().status() == 404);

  auto request = fixture.request();
  request.most = 3;
  call.start(std::move(request));
  peer.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK(call.error() == "too_large: the answer has 5 bytes");

  call.start(fixture.request());
  Peer again = fixture.peer();
  again.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  CHECK_FALSE(call.failed());
  CHECK(call.error().empty());
  CHECK(call.answer().status() == 200);
  CHECK(call.answer().body() == "hello");
}

TEST_CASE("http call: a renewed one knows nothing of the request before") {
  Fixture fixture;
  HttpCall call(fixture.network);
  auto request = fixture.request("POST");
  request.body = "body";
  request.has_body = true;
  request.host = "other.test";
  const auto peer = request.peer;
  call.start(std::move(request));
  Peer far = fixture.peer();
  far.send(kAnswer);
  REQUIRE(fixture.turn_to([&] { return call.answered(); }));
  HttpCall::Request& next = call.renew();
  next.method = "GET";
  next.target = "/next";
  next.peer = peer;
  call.start();
  const std::string expected =
      far.received() + "GET /next HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(fixture.door.port()) + "\r\n\r\n";
  REQUIRE(fixture.turn_to([&] { return far.receive() && far.received().size() >= expected.size(); }));
  CHECK(far.received() == expected);
}

TEST_CASE("http call: what a peer's requests have in common comes after its host") {
  Fixture fixture;
  auto request = fixture.request();
  auto peer = std::make_shared<HttpPeer>(fixture.network, request.peer->plan);
  peer->have_in_common("Common: c\r\n");
  request.peer = peer;
  request.usual_fields = true;
  HttpCall call(fixture.network);
  call.start(std::move(request));
  CHECK(fixture.peer().received() ==
        "GET /x HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(fixture.door.port()) + "\r\nCommon: c\r\nA: b\r\n\r\n");
}
