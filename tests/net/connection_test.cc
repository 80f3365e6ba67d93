#include "net/connection.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "connection_fixture.h"

using perigee::net::Connection;

TEST_CASE("connection: bytes come as they are sent, and the answer goes back") {
  Link link;
  link.take = [](Connection& from) {
    from.output().append(from.input().readable());
    from.input().consume(from.input().size());
    from.flush();
  };
  CHECK_FALSE(link.connection.served());
  for (const std::string text : {"first", "second", "third"}) {
    const std::size_t before = link.peer.received().size();
    REQUIRE(link.peer.send(text) == static_cast<ssize_t>(text.size()));
    REQUIRE(link.peer_receives(before + text.size()));
  }
  CHECK(link.peer.received() == "firstsecondthird");
  CHECK(link.connection.served());
}

TEST_CASE("connection: input that is left comes again with the next bytes") {
  Link link;
  std::string seen;
  link.take = [&seen](Connection& from) { seen = from.input().readable(); };
  link.peer.send("GET / ");
  REQUIRE(link.until([&] { return seen == "GET / "; }));
  link.peer.send("HTTP/1.1");
  REQUIRE(link.until([&] { return link.data_calls == 2; }));
  CHECK(seen == "GET / HTTP/1.1");
}

TEST_CASE("connection: an answer still goes out after the peer's half close") {
  Link link;
  link.peer.send("question");
  link.peer.finish_sending();
  REQUIRE(link.until([&] { return link.half_closed == 1; }));
  CHECK(link.received == "question");
  CHECK(link.connection.half_closed());
  CHECK(link.connection.open());
  link.answer("answer");
  REQUIRE(link.peer_receives(6));
  CHECK(link.peer.received() == "answer");
  turn(link.loop);
  CHECK(link.half_closed == 1);
  CHECK(link.closed == 0);
}

TEST_CASE("connection: what the socket does not take at once goes later, whole and in order") {
  Link link(4096);
  const std::string text = pattern_of(3'000'000);
  link.answer(text);
  CHECK(link.flushed);
  CHECK_FALSE(link.connection.output().empty());
  link.connection.output().append("the end");
  CHECK(link.connection.flush());
  REQUIRE(link.peer_receives(text.size() + 7));
  CHECK((link.peer.received() == text + "the end"));
  CHECK(link.connection.output().empty());
}

TEST_CASE("connection: its owner hears once that output has fallen below the watermark") {
  Link link(4096);
  link.connection.set_watermark(100'000);
  CHECK_FALSE(link.connection.congested());
  const std::string text = pattern_of(3'000'000);
  link.answer(text);
  CHECK(link.connection.congested());
  CHECK(link.drained == 0);
  REQUIRE(link.peer_receives(text.size()));
  CHECK(link.drained == 1);
  CHECK(link.size_when_drained < 100'000);
  CHECK_FALSE(link.connection.congested());
}

TEST_CASE("connection: output below the watermark is nobody's news") {
  Link link;
  link.connection.set_watermark(100);
  link.answer(std::string(99, 'x'));
  REQUIRE(link.peer_receives(99));
  CHECK(link.drained == 0);
}

TEST_CASE("connection: one that is idle holds no buffers") {
  Link link;
  const auto holds_nothing = [&] { return link.connection.input().room() + link.connection.output().room() == 0; };
  CHECK(holds_nothing());
  link.peer.send("question");
  REQUIRE(link.until([&] { return link.received == "question"; }));
  link.answer("answer");
  REQUIRE(link.peer_receives(6));
  CHECK(holds_nothing());
  const std::string large = pattern_of(200'000);
  link.answer(large);
  REQUIRE(link.peer_receives(6 + large.size()));
  CHECK(holds_nothing());
}

TEST_CASE("connection: nothing is read while reading is off") {
  Link link;
  link.connection.set_reading(false);
  CHECK_FALSE(link.connection.reading());
  link.peer.send("later");
  REQUIRE(link.until([&] { return link.connection.has_unread(); }));
  turn(link.loop);
  CHECK(link.data_calls == 0);
  link.connection.set_reading(true);
  REQUIRE(link.until([&] { return link.received == "later"; }));
  CHECK_FALSE(link.connection.has_unread());
}

TEST_CASE("connection: closing it within on_data ends it, once") {
  Link link;
  link.take = [](Connection& from) {
    from.close();
    from.close();
  };
  link.peer.send("x");
  REQUIRE(link.until([&] { return link.closed == 1; }));
  REQUIRE(link.until([&] { return !link.peer.receive(); }));
  CHECK(link.closed == 1);
}

TEST_CASE("connection: one that was closed is there until the callback at hand is done") {
  Link link;
  std::size_t left = 0;
  link.take = [&](Connection& from) {
    from.close();
    left = from.input().size() + from.output().size();
    CHECK_FALSE(from.open());
  };
  link.peer.send("x");
  REQUIRE(link.until([&] { return link.closed == 1; }));
  CHECK(left == 0);
}

TEST_CASE("connection: an owner that runs out of memory loses the connection, not the loop") {
  Link link;
  link.take = [](Connection&) { throw std::bad_alloc(); };
  link.peer.send("x");
  REQUIRE(link.until([&] { return link.closed == 1; }));
  turn(link.loop);
  CHECK(link.closed == 1);
}

TEST_CASE("connection: a reset by the peer closes it") {
  Link link;
  link.peer.reset();
  REQUIRE(link.until([&] { return link.closed == 1; }));
  CHECK(link.half_closed == 0);
}

TEST_CASE("connection: a flush to a peer that broke off says so") {
  Link link(4096);
  link.connection.set_reading(false);
  link.peer.reset();
  link.answer("lost");
  CHECK_FALSE(link.flushed);
  CHECK(link.closed == 1);
}

TEST_CASE("connection: a reset while output waits closes it") {
  Link link(4096);
  link.answer(pattern_of(3'000'000));
  CHECK(link.flushed);
  link.peer.reset();
  REQUIRE(link.until([&] { return link.closed == 1; }));
}

TEST_CASE("connection: a deadline that is moved later fires at the later time only") {
  Link link;
  const perigee::Milliseconds now = perigee::monotonic_ms();
  link.connection.set_deadline(now + 100);
  link.connection.set_deadline(now + 5000);
  link.loop.timers().advance(now + 4999);
  CHECK(link.deadlines == 0);
  link.loop.timers().advance(now + 5000);
  CHECK(link.deadlines == 1);
  link.loop.timers().advance(now + 60'000);
  CHECK(link.deadlines == 1);
}

TEST_CASE("connection: a deadline that is moved earlier fires at the earlier time only") {
  Link link;
  const perigee::Milliseconds now = perigee::monotonic_ms();
  link.connection.set_deadline(now + 5000);
  link.connection.set_deadline(now + 100);
  link.loop.timers().advance(now + 99);
  CHECK(link.deadlines == 0);
  link.loop.timers().advance(now + 100);
  CHECK(link.deadlines == 1);
  link.loop.timers().advance(now + 60'000);
  CHECK(link.deadlines == 1);
}

TEST_CASE("connection: a deadline that is cleared does not fire, one set after it does") {
  Link link;
  const perigee::Milliseconds now = perigee::monotonic_ms();
  link.connection.set_deadline(now + 100);
  link.connection.clear_deadline();
  link.loop.timers().advance(now + 1000);
  CHECK(link.deadlines == 0);
  link.connection.set_deadline(now + 2000);
  link.loop.timers().advance(now + 2000);
  CHECK(link.deadlines == 1);
}

TEST_CASE("connection: a peer that takes no output is dropped after the write timeout") {
  Link link(4096);
  link.connection.set_write_timeout(10'000);
  link.answer(pattern_of(3'000'000));
  link.pass(9'000);
  CHECK(link.closed == 0);
  link.pass(10'100);
  CHECK(link.closed == 1);
  CHECK(link.deadlines == 0);
}

TEST_CASE("connection: the write timeout begins anew whenever output moves") {
  Link link(4096);
  link.connection.set_write_timeout(10'000);
  link.answer(pattern_of(3'000'000));
  const std::size_t before = link.connection.output().size();
  link.connection.set_write_timeout(60'000);
  REQUIRE(link.until([&] { return link.peer.receive() && link.connection.output().size() < before; }));
  link.pass(50'000);
  CHECK(link.closed == 0);
  link.pass(60'100);
  CHECK(link.closed == 1);
}

TEST_CASE("connection: the write timeout ends with the output") {
  Link link;
  link.connection.set_write_timeout(10'000);
  link.answer("taken at once");
  link.pass(20'000);
  CHECK(link.closed == 0);
}

TEST_CASE("connection: a graceful close gives the whole answer to a peer that is still sending") {
  Link link(4096);
  const std::string noise(16 * 1024, 'n');
  ssize_t sent = link.peer.send(noise);
  REQUIRE(sent > 0);
  REQUIRE(link.until([&] { return link.data_calls > 0; }));
  const std::string text = pattern_of(1'000'000);
  link.answer(text);
  link.connection.close_gracefully();
  CHECK_FALSE(link.connection.open());
  const std::size_t seen = link.received.size();
  REQUIRE(link.until([&] {
    sent += std::max<ssize_t>(link.peer.send(noise), 0);
    return !link.peer.receive();
  }));
  CHECK(link.peer.error() == 0);
  CHECK(link.peer.finished());
  CHECK((link.peer.received() == text));
  CHECK(link.received.size() == seen);
  CHECK(link.closed == 0);
  link.peer.close();
  REQUIRE(link.until([&] { return link.closed == 1; }));
  CHECK(link.loop.traffic().received.value() == static_cast<std::uint64_t>(sent));
}

TEST_CASE("connection: a graceful close waits two seconds for the peer's FIN") {
  Link link;
  link.connection.close_gracefully();
  REQUIRE(link.until([&] { return !link.peer.receive(); }));
  link.pass(1900);
  CHECK(link.closed == 0);
  link.pass(2100);
  CHECK(link.closed == 1);
  CHECK(link.deadlines == 0);
}

TEST_CASE("connection: a graceful close after the peer's FIN ends at once") {
  Link link;
  link.peer.finish_sending();
  REQUIRE(link.until([&] { return link.half_closed == 1; }));
  link.answer("bye");
  link.connection.close_gracefully();
  CHECK(link.closed == 1);
  REQUIRE(link.until([&] { return !link.peer.receive(); }));
  CHECK(link.peer.received() == "bye");
  CHECK(link.peer.finished());
}

TEST_CASE("connection: the peer's FIN during a graceful close leaves the rest of the answer to be sent") {
  Link link(4096);
  const std::string text = pattern_of(1'000'000);
  link.answer(text);
  link.connection.close_gracefully();
  link.peer.finish_sending();
  REQUIRE(link.until([&] { return !link.peer.receive(); }));
  CHECK((link.peer.received() == text));
  REQUIRE(link.until([&] { return link.closed == 1; }));
  CHECK(link.half_closed == 0);
}

TEST_CASE("connection: on the way out only the write timeout counts, not the owner's deadline") {
  Link link(4096);
  link.connection.set_write_timeout(10'000);
  link.answer(pattern_of(1'000'000));
  link.connection.set_deadline(perigee::monotonic_ms() + 100);
  link.connection.close_gracefully();
  link.pass(9'000);
  CHECK(link.closed == 0);
  link.pass(10'100);
  CHECK(link.closed == 1);
  CHECK(link.deadlines == 0);
}

namespace {

// A file without a name that holds `text`.
class Unnamed {
 public:
  explicit Unnamed(const std::string& text) : fd(memfd_create("test", MFD_CLOEXEC)) {
    REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  ~Unnamed() { close(fd); }
  Unnamed(const Unnamed&) = delete;
  Unnamed& operator=(const Unnamed&) = delete;
  int fd;
};

}  // namespace

TEST_CASE("connection: a file that the socket takes at once is sent behind the output") {
  Link link;
  const Unnamed file("0123456789");
  link.connection.output().append("head ");
  CHECK(link.connection.send_file(file.fd, 2, 5) == Connection::FileState::kSent);
  link.answer(" tail");
  REQUIRE(link.peer_receives(15));
  CHECK(link.peer.received() == "head 23456 tail");
  CHECK(link.files_sent == 0);
}

TEST_CASE("connection: a large file goes as the peer takes it, whole and in order") {
  Link link(4096);
  const std::string text = pattern_of(3'000'000);
  const Unnamed file(text);
  link.connection.output().append("head");
  CHECK(link.connection.send_file(file.fd, 0, text.size()) == Connection::FileState::kPending);
  CHECK(link.connection.file_left() > 0);
  REQUIRE(link.peer_receives(text.size() + 4));
  CHECK(link.peer.received() == "head" + text);
  REQUIRE(link.until([&] { return link.files_sent == 1; }));
  CHECK(link.file_whole);
  CHECK(link.connection.file_left() == 0);
  turn(link.loop);
  CHECK(link.files_sent == 1);
}

TEST_CASE("connection: a file that is shorter than promised says so, at once or later") {
  Link link(4096);
  const Unnamed small("0123456789");
  CHECK(link.connection.send_file(small.fd, 5, 100) == Connection::FileState::kShort);
  const std::string text = pattern_of(3'000'000);
  const Unnamed large(text);
  CHECK(link.connection.send_file(large.fd, 0, text.size() + 1) == Connection::FileState::kPending);
  REQUIRE(link.peer_receives(text.size() + 5));
  REQUIRE(link.until([&] { return link.files_sent == 1; }));
  CHECK_FALSE(link.file_whole);
  CHECK(link.connection.open());
}

TEST_CASE("connection: a peer that takes nothing of a file is given up, and one that has gone is noticed") {
  const std::string text = pattern_of(3'000'000);
  const Unnamed file(text);
  {
    Link link(4096);
    link.connection.set_write_timeout(1000);
    CHECK(link.connection.send_file(file.fd, 0, text.size()) == Connection::FileState::kPending);
    link.pass(500);
    CHECK(link.closed == 0);
    link.pass(5000);
    CHECK(link.closed == 1);
    CHECK(link.files_sent == 0);
  }
  Link link(4096);
  CHECK(link.connection.send_file(file.fd, 0, text.size()) == Connection::FileState::kPending);
  link.peer.close();
  REQUIRE(link.until([&] { return link.closed == 1; }));
  CHECK(link.files_sent == 0);
}

TEST_CASE("connection: shared bytes go out at once, behind what is in output()") {
  Link link;
  CHECK(link.connection.send_shared({nullptr, "one,"}));
  link.connection.output().append("two,");
  CHECK(link.connection.send_shared({nullptr, "three,"}));
  CHECK(link.connection.queue_shared({nullptr, "four,"}));
  CHECK(link.connection.queue_shared({nullptr, "five"}));
  CHECK(link.connection.shared_left() == 9);
  CHECK(link.connection.flush());
  CHECK(link.connection.shared_left() == 0);
  CHECK(link.connection.served());
  REQUIRE(link.peer_receives(23));
  CHECK(link.peer.received() == "one,two,three,four,five");
  CHECK(link.loop.traffic().sent.value() == 23);
}

TEST_CASE("connection: shared bytes that the socket does not take wait as references, in order") {
  Link link(4096);
  link.connection.set_watermark(100'000'000);
  const auto text = std::make_shared<std::string>(pattern_of(1'000'000));
  constexpr int kTimes = 5;
  for (int i = 0; i < kTimes; ++i) {
    CHECK(link.connection.send_shared({text, *text}));
  }
  CHECK(text.use_count() > 1);
  CHECK(link.connection.shared_left() > 0);
  REQUIRE(link.peer_receives(kTimes * text->size()));
  std::string all;
  for (int i = 0; i < kTimes; ++i) {
    all += *text;
  }
  CHECK((link.peer.received() == all));
  REQUIRE(link.until([&] { return text.use_count() == 1; }));
  CHECK(link.connection.shared_left() == 0);
  CHECK(link.loop.traffic().sent.value() == kTimes * text->size());
}

TEST_CASE("connection: one with more than the watermark of shared bytes waiting is closed") {
  Link link(4096);
  link.connection.set_watermark(1'000'000);
  const auto text = std::make_shared<std::string>(pattern_of(400'000));
  int sent = 0;
  while (link.closed == 0 && sent < 100) {
    ++sent;
    const bool open = link.connection.send_shared({text, *text});
    CHECK(open == (link.closed == 0));
  }
  CHECK(link.closed == 1);
  CHECK(sent > 2);
  CHECK(text.use_count() == 1);
  CHECK_FALSE(link.connection.queue_shared({text, *text}));
}

TEST_CASE("connection: a peer that takes no shared bytes is given up, one that has gone is noticed") {
  const std::string text = pattern_of(900'000);
  {
    Link link(4096);
    link.connection.set_write_timeout(1000);
    CHECK(link.connection.send_shared({nullptr, text}));
    link.pass(500);
    CHECK(link.closed == 0);
    link.pass(5000);
    CHECK(link.closed == 1);
  }
  Link link(4096);
  CHECK(link.connection.send_shared({nullptr, text}));
  link.peer.close();
  bool taken = true;
  REQUIRE(link.until([&] { return link.closed == 1 || !(taken = link.connection.send_shared({nullptr, "x"})); }));
  CHECK((link.closed == 1 || !taken));
}

TEST_CASE("connection: a graceful close sends the shared bytes that wait") {
  Link link(4096);
  const std::string text = pattern_of(900'000);
  CHECK(link.connection.send_shared({nullptr, text}));
  link.connection.close_gracefully();
  REQUIRE(link.peer_receives(text.size()));
  CHECK((link.peer.received() == text));
}

TEST_CASE("connection: another handler is told what happens from then on") {
  Link link;
  Link other;
  link.connection.hand_over(other);
  link.peer.send("bytes");
  REQUIRE(link.until([&] { return other.data_calls == 1; }));
  CHECK(link.data_calls == 0);
  link.connection.hand_over(link);
}
