#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "loop_fixture.h"

/// A connection on a loop turned by hand, its peer, and a record of what the handler was told.
class Link : public perigee::net::ConnectionHandler {
 public:
  using Connection = perigee::net::Connection;

  explicit Link(int small_buffers = 0) : Link(connected_sockets(small_buffers)) {}
  ~Link() override {
    if (closed == 0) {
      connection.close();
    }
    loop.run_leftovers();
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void on_data(Connection& from) override {
    ++data_calls;
    if (take) {
      take(from);
      return;
    }
    received += from.input().readable();
    from.input().consume(from.input().size());
  }
  void on_half_close(Connection& from) override {
    ++half_closed;
    if (half_close) {
      half_close(from);
    }
  }
  void on_drained(Connection& from) override {
    ++drained;
    size_when_drained = from.output().size();
  }
  void on_file_sent(Connection&, bool whole) override {
    ++files_sent;
    file_whole = whole;
  }
  void on_deadline(Connection&) override { ++deadlines; }
  void on_closed(Connection&) override { ++closed; }

  template <typename Done>
  [[nodiscard]] bool until(Done done) {
    return turn_until(loop, done);
  }

  /// Whether all that was sent to the peer, `size` bytes, reaches it.
  [[nodiscard]] bool peer_receives(std::size_t size) {
    return until([&] { return peer.receive() && peer.received().size() >= size; });
  }

  /// Lets the loop's timers see a time of the test's choice, in milliseconds from now.
  void pass(perigee::Milliseconds time) { loop.timers().advance(perigee::monotonic_ms() + time); }

  void answer(std::string_view text) {
    connection.output().append(text);
    flushed = connection.flush();
  }

  perigee::net::EventLoop loop;
  Peer peer;
  Connection& connection;
  std::function<void(Connection&)> take;
  std::function<void(Connection&)> half_close;
  std::string received;
  std::size_t size_when_drained = 0;
  int data_calls = 0;
  int half_closed = 0;
  int drained = 0;
  int deadlines = 0;
  int files_sent = 0;
  int closed = 0;
  bool flushed = false;
  bool file_whole = false;

 private:
  explicit Link(std::pair<int, int> sockets)
      : peer(sockets.second), connection(Connection::adopt(loop, sockets.first, {}, *this)) {}
};

/// `size` bytes that tell a lost or doubled one.
inline std::string pattern_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + i * 31 % 23 + i / 4096 % 3);
  }
  return text;
}
