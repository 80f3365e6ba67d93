#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "server/visit.h"

/// A visit whose client is one end of a socket pair, with a request's head in its buffer.
class ServedVisit : public perigee::net::ConnectionHandler {
 public:
  explicit ServedVisit(const std::string& request) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets_) == 0);
    client = &perigee::net::Connection::adopt(loop, sockets_[0], {}, *this);
    client->input().append(request);
    visit.begin(*client);
    REQUIRE(visit.scanner.scan(client->input().data(), client->input().size(), {}, visit.head) ==
            perigee::http::HeadScanner::Verdict::kComplete);
    visit.publish();
  }
  ~ServedVisit() override {
    client->close();
    loop.run_leftovers();
    ::close(sockets_[1]);
  }
  ServedVisit(const ServedVisit&) = delete;
  ServedVisit& operator=(const ServedVisit&) = delete;

  void on_data(perigee::net::Connection&) override {}
  void on_half_close(perigee::net::Connection&) override {}
  void on_drained(perigee::net::Connection&) override {}
  void on_file_sent(perigee::net::Connection&, bool) override {}
  void on_deadline(perigee::net::Connection&) override {}
  void on_closed(perigee::net::Connection&) override {}

  [[nodiscard]] std::string written() const { return std::string(client->output().readable()); }

  perigee::net::EventLoop loop;
  perigee::net::Connection* client = nullptr;
  perigee::server::Visit visit;

 private:
  int sockets_[2] = {-1, -1};
};
