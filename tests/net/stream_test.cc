#include "net/stream.h"

#include "loop_fixture.h"

using perigee::net::EventLoop;
using perigee::net::Stream;
using Outcome = perigee::net::Stream::Outcome;

namespace {

struct Pair {
  EventLoop loop;
  std::pair<int, int> sockets = connected_sockets();
  Stream stream{loop, sockets.first};
  Peer peer{sockets.second};

  [[nodiscard]] std::string read() {
    char room[64];
    const auto progress = stream.read(room, sizeof room);
    return progress.outcome == Outcome::kDone ? std::string(room, progress.count) : std::string();
  }
};

}  // namespace

TEST_CASE("stream: it says when there is something to read, once") {
  Pair pair;
  int woken = 0;
  char room[8];
  CHECK(pair.stream.read(room, sizeof room).outcome == Outcome::kWaits);
  pair.stream.await([&] { ++woken; });
  turn(pair.loop);
  CHECK(woken == 0);
  pair.peer.send("one");
  REQUIRE(turn_until(pair.loop, [&] { return woken == 1; }));
  turn(pair.loop);
  CHECK(woken == 1);
  CHECK(pair.read() == "one");
}

TEST_CASE("stream: an end, a reset and a write to nobody are told apart") {
  SECTION("end") {
    Pair pair;
    pair.peer.close();
    char room[8];
    REQUIRE(turn_until(pair.loop, [&] { return pair.stream.read(room, sizeof room).outcome == Outcome::kEnded; }));
  }
  SECTION("reset") {
    Pair pair;
    pair.peer.reset();
    char room[8];
    REQUIRE(turn_until(pair.loop, [&] { return pair.stream.read(room, sizeof room).outcome == Outcome::kFailed; }));
    CHECK(pair.stream.error() == "reset");
    CHECK(pair.stream.write("x").outcome == Outcome::kFailed);
  }
}

TEST_CASE("stream: what the socket does not take waits until it does") {
  Pair pair;
  const std::string text(1 << 20, 'x');
  std::size_t sent = 0;
  int woken = 0;
  while (sent < 16 * text.size()) {
    const auto progress = pair.stream.write(text);
    if (progress.outcome == Outcome::kWaits) {
      break;
    }
    REQUIRE(progress.outcome == Outcome::kDone);
    sent += progress.count;
  }
  REQUIRE(sent < 16 * text.size());
  pair.stream.await([&] { ++woken; });
  REQUIRE(turn_until(pair.loop, [&] {
    pair.peer.receive();
    return woken == 1;
  }));
  CHECK(pair.stream.write("y").outcome == Outcome::kDone);
}

TEST_CASE("stream: it is quiet while the peer neither sends nor ends") {
  Pair pair;
  CHECK(pair.stream.quiet());
  pair.peer.send("x");
  REQUIRE(turn_until(pair.loop, [&] { return !pair.stream.quiet(); }));
  CHECK(pair.read() == "x");
  CHECK(pair.stream.quiet());
  pair.peer.close();
  REQUIRE(turn_until(pair.loop, [&] { return !pair.stream.quiet(); }));
}

TEST_CASE("stream: who is woken may destroy it") {
  EventLoop loop;
  const auto [own, far] = connected_sockets();
  Peer peer(far);
  auto stream = std::make_unique<Stream>(loop, own);
  stream->await_any([&] { stream.reset(); });
  peer.send("x");
  REQUIRE(turn_until(loop, [&] { return stream == nullptr; }));
}
