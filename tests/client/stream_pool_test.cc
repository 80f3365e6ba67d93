#include "client/stream_pool.h"

#include "../net/loop_fixture.h"

using perigee::client::PooledStream;
using perigee::client::StreamPool;
using perigee::net::EventLoop;
using perigee::net::Stream;

namespace {

perigee::Milliseconds soon() {
  return perigee::monotonic_ms() + 1000;
}

struct Fixture {
  EventLoop loop;
  StreamPool pool;
  std::vector<Peer> peers;

  // A connection that was just used.
  PooledStream made() {
    const auto [own, far] = connected_sockets();
    peers.emplace_back(far);
    return {std::make_unique<Stream>(loop, own), 0};
  }
};

}  // namespace

TEST_CASE("stream pool: the one given last is taken first, by its key") {
  Fixture fixture;
  PooledStream first = fixture.made();
  PooledStream second = fixture.made();
  const Stream* latest = second.stream.get();
  fixture.pool.give("a", std::move(first), soon(), 8);
  fixture.pool.give("a", std::move(second), soon(), 8);
  CHECK(fixture.pool.take("b").stream == nullptr);
  PooledStream taken = fixture.pool.take("a");
  CHECK(taken.stream.get() == latest);
  CHECK(taken.uses == 1);
  CHECK(fixture.pool.size("a") == 1);
  fixture.pool.give("a", std::move(taken), soon(), 8);
  CHECK(fixture.pool.take("a").uses == 2);
}

TEST_CASE("stream pool: what has unread bytes or has ended is never given out") {
  Fixture fixture;
  PooledStream stream = fixture.made();
  fixture.peers[0].send("x");
  REQUIRE(turn_until(fixture.loop, [&] { return !stream.stream->quiet(); }));
  fixture.pool.give("a", std::move(stream), soon(), 8);
  CHECK(fixture.pool.take("a").stream == nullptr);
  CHECK(fixture.pool.size() == 0);
}

TEST_CASE("stream pool: one that is spoken to while it waits is dropped") {
  Fixture fixture;
  fixture.pool.give("a", fixture.made(), soon(), 8);
  fixture.pool.give("a", fixture.made(), soon(), 8);
  fixture.peers[0].send("stray");
  fixture.peers[1].close();
  REQUIRE(turn_until(fixture.loop, [&] { return fixture.pool.size() == 0; }));
  CHECK(fixture.pool.size("a") == 0);
}

TEST_CASE("stream pool: bytes that come in the turn in which it is taken are seen") {
  Fixture fixture;
  fixture.pool.give("a", fixture.made(), soon(), 8);
  fixture.peers[0].close();
  CHECK(fixture.pool.take("a").stream == nullptr);
}

TEST_CASE("stream pool: who may ask again relies on the turn's look at what was given before") {
  Fixture fixture;
  const auto shelf = fixture.pool.shelf("a");
  for (const auto look : {StreamPool::Look::kTurn, StreamPool::Look::kNow}) {
    fixture.pool.give(shelf, fixture.made(), soon(), 8);
    (void)fixture.loop.turn(false);
    fixture.peers.back().close();
    CHECK((fixture.pool.take(*shelf, look).stream != nullptr) == (look == StreamPool::Look::kTurn));
  }
  fixture.pool.give(shelf, fixture.made(), soon(), 8);
  fixture.peers.back().close();
  CHECK(fixture.pool.take(*shelf, StreamPool::Look::kTurn).stream == nullptr);  // not looked at yet
}

TEST_CASE("stream pool: what the turn has found and not told yet is never given out") {
  Fixture fixture;
  const auto shelf = fixture.pool.shelf("a");
  PooledStream other = fixture.made();
  fixture.pool.give(shelf, fixture.made(), soon(), 8);
  (void)fixture.loop.turn(false);
  bool asked = false;
  other.stream->await_any([&] {
    asked = true;
    CHECK(fixture.pool.take(*shelf, StreamPool::Look::kTurn).stream == nullptr);
  });
  fixture.peers[0].send("x");
  fixture.peers[1].send("stray");
  REQUIRE(turn_until(fixture.loop, [&] { return asked; }));
}

TEST_CASE("stream pool: over its size the oldest goes, and each goes after its time") {
  Fixture fixture;
  for (int i = 0; i < 3; ++i) {
    fixture.pool.give("a", fixture.made(), soon(), 2);
  }
  CHECK(fixture.pool.size("a") == 2);
  fixture.loop.timers().advance(perigee::monotonic_ms() + 2000);
  CHECK(fixture.pool.size() == 0);
}

TEST_CASE("stream pool: a shelf that somebody keeps holds what is given under its key") {
  Fixture fixture;
  const auto shelf = fixture.pool.shelf("a");
  CHECK(fixture.pool.take(*shelf).stream == nullptr);
  fixture.pool.give("a", fixture.made(), soon(), 8);
  CHECK(fixture.pool.take(*shelf).uses == 1);
  fixture.pool.give(shelf, fixture.made(), soon(), 8);
  CHECK(fixture.pool.size("a") == 1);
  fixture.pool.clear();
  CHECK(fixture.pool.take(*shelf).stream == nullptr);
  CHECK(fixture.pool.shelf("a") == shelf);
}

TEST_CASE("stream pool: who may ask again gets one that the turn has looked at before one that was just given") {
  Fixture fixture;
  const auto shelf = fixture.pool.shelf("a");
  std::vector<const Stream*> streams;
  for (int i = 0; i < 2; ++i) {
    PooledStream stream = fixture.made();
    streams.push_back(stream.stream.get());
    fixture.pool.give(shelf, std::move(stream), soon(), 8);
  }
  (void)fixture.loop.turn(false);
  for (int i = 0; i < 2; ++i) {
    PooledStream stream = fixture.made();
    streams.push_back(stream.stream.get());
    fixture.pool.give(shelf, std::move(stream), soon(), 8);
  }
  for (const std::size_t next : {std::size_t{1}, std::size_t{0}, std::size_t{3}, std::size_t{2}}) {
    CHECK(fixture.pool.take(*shelf, StreamPool::Look::kTurn).stream.get() == streams[next]);
  }
  CHECK(fixture.pool.take(*shelf, StreamPool::Look::kTurn).stream == nullptr);
}

TEST_CASE("stream pool: who may not ask again gets the one that was given last") {
  Fixture fixture;
  const auto shelf = fixture.pool.shelf("a");
  fixture.pool.give(shelf, fixture.made(), soon(), 8);
  (void)fixture.loop.turn(false);
  PooledStream last = fixture.made();
  const Stream* const stream = last.stream.get();
  fixture.pool.give(shelf, std::move(last), soon(), 8);
  CHECK(fixture.pool.take(*shelf, StreamPool::Look::kNow).stream.get() == stream);
  CHECK(fixture.pool.take(*shelf, StreamPool::Look::kTurn).stream != nullptr);
}
