#include "net/memory_peer.h"

#include <cstdio>

#include "connection_fixture.h"

using perigee::net::Connection;
using perigee::net::MemoryPeer;

namespace {

/// A handler that answers what comes, with the connection and the peer.
struct Echo final : public perigee::net::ConnectionHandler {
  Echo() : connection(Connection::adopt(loop, Connection::kInMemory, {}, *this)), peer(connection) {}
  ~Echo() override {
    peer.hang_up();
    loop.run_leftovers();
  }

  void on_data(Connection& from) override {
    from.output().append(from.input().readable());
    from.input().consume(from.input().size());
    from.flush();
  }
  void on_half_close(Connection&) override { ++half_closed; }
  void on_drained(Connection&) override { ++drained; }
  void on_file_sent(Connection&, bool whole) override { sent += whole ? "whole" : "short"; }
  void on_deadline(Connection&) override {}
  void on_closed(Connection&) override { ++closed; }

  perigee::net::EventLoop loop;
  int half_closed = 0;
  int drained = 0;
  int closed = 0;
  std::string sent;
  Connection& connection;
  MemoryPeer peer;
};

}  // namespace

TEST_CASE("memory peer: bytes go there and back without a socket") {
  Echo echo;
  std::string answer;
  CHECK(echo.peer.send("ping"));
  echo.peer.receive(answer);
  CHECK(answer == "ping");
  echo.peer.receive(answer);
  CHECK(answer == "ping");
}

TEST_CASE("memory peer: taking the output of a congested connection drains it") {
  Echo echo;
  echo.connection.set_watermark(3);
  std::string answer;
  CHECK(echo.peer.send("ping"));
  CHECK(echo.connection.congested());
  echo.peer.receive(answer);
  CHECK(echo.drained == 1);
}

TEST_CASE("memory peer: a graceful end brings what was unsent, then the close") {
  Echo echo;
  CHECK(echo.peer.send("last"));
  echo.connection.close_gracefully();
  CHECK_FALSE(echo.peer.closed());
  std::string answer;
  echo.peer.receive(answer);
  CHECK(answer == "last");
  CHECK(echo.peer.closed());
  CHECK(echo.closed == 1);
  CHECK_FALSE(echo.peer.send("more"));
}

TEST_CASE("memory peer: shared bytes come behind the others") {
  Echo echo;
  CHECK(echo.peer.send("own,"));
  const auto text = std::make_shared<const std::string>("shared");
  CHECK(echo.connection.send_shared({text, *text}));
  CHECK(echo.connection.send_shared({text, std::string_view(*text).substr(0, 2)}));
  std::string answer;
  echo.peer.receive(answer);
  CHECK(answer == "own,sharedsh");
}

TEST_CASE("memory peer: what a connection had flushed when it was closed is not lost") {
  Echo echo;
  CHECK(echo.peer.send("last"));
  echo.connection.close();
  std::string answer;
  echo.peer.receive(answer);
  CHECK(answer == "last");
}

TEST_CASE("memory peer: its end of sending and its leaving are told") {
  Echo echo;
  echo.peer.finish_sending();
  CHECK(echo.half_closed == 1);
  echo.peer.hang_up();
  CHECK(echo.closed == 1);
}

TEST_CASE("memory peer: a file is read where it would have been sent") {
  Echo echo;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  std::fputs("0123456789", file.get());
  std::fflush(file.get());
  const auto [size, expected, verdict] =
      GENERATE(table<int, const char*, const char*>({{4, "2345", "whole"}, {40, "23456789", "short"}}));
  using FileState = Connection::FileState;
  CHECK(echo.connection.send_file(fileno(file.get()), 2, static_cast<std::uint64_t>(size)) == FileState::kPending);
  std::string answer;
  echo.peer.receive(answer);
  CHECK(answer == expected);
  CHECK(echo.sent == verdict);
}
