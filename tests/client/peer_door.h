#pragma once

#include "../net/loop_fixture.h"
#include "net/socket_address.h"

/// A listening socket on a free port of this machine.
class Door {
 public:
  Door() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const auto any = *perigee::net::SocketAddress::parse("127.0.0.1:0");
    REQUIRE(bind(fd_, any.get(), any.size()) == 0);
    REQUIRE(listen(fd_, 8) == 0);
  }
  ~Door() {
    ::close(fd_);
    if (next_ >= 0) {
      ::close(next_);
    }
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  [[nodiscard]] int port() const { return perigee::net::SocketAddress::of_socket(fd_).port(); }

  /// Whether somebody has connected.
  [[nodiscard]] bool knocked() {
    if (next_ < 0) {
      next_ = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    return next_ >= 0;
  }
  [[nodiscard]] Peer accept() {
    REQUIRE(knocked());
    return Peer(std::exchange(next_, -1));
  }

 private:
  int fd_;
  int next_ = -1;
};
