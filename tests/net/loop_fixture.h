#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "net/connection.h"
#include "net/event_loop.h"

/// Runs one turn of a loop that nobody runs: what is at hand is dispatched, time stands still.
inline void turn(perigee::net::EventLoop& loop) {
  loop.look(false);
  loop.run_leftovers();
}

/// Turns a loop until `done` says so. False when it took ten seconds.
template <typename Done>
[[nodiscard]] bool turn_until(perigee::net::EventLoop& loop, Done done) {
  const perigee::Milliseconds latest = perigee::monotonic_ms() + 10'000;
  while (!done()) {
    if (perigee::monotonic_ms() > latest) {
      return false;
    }
    turn(loop);
  }
  return true;
}

/// The far end of a connection: a non-blocking socket.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { close(); }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}
  Peer& operator=(Peer&&) = delete;

  /// Sends as much of `text` as the socket takes; returns how much, -1 when the connection is broken.
  ssize_t send(std::string_view text) {
    const ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    return count < 0 && errno == EAGAIN ? 0 : count;
  }

  /// Takes what has come. False once the other side has said FIN or broken off.
  bool receive() {
    char bytes[64 * 1024];
    const ssize_t count = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) {
      received_.append(bytes, static_cast<std::size_t>(count));
    } else if (count == 0) {
      finished_ = true;
    } else if (errno != EAGAIN) {
      error_ = errno;
    }
    return !finished_ && error_ == 0;
  }

  void finish_sending() { shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
  std::string received_;
  bool finished_ = false;
  int error_ = 0;
};

/// Connects to a port of this machine.
inline int connect_to(int port, int receive_buffer = 0) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/// Two ends of a TCP connection over the loopback: the one to serve, and its peer.
inline std::pair<int, int> connected_sockets(int small_buffers = 0) {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(listening, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listening, 1) == 0);
  REQUIRE(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const int peer = connect_to(ntohs(address.sin_port), small_buffers);
  const int served = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  REQUIRE(served >= 0);
  if (small_buffers > 0) {
    setsockopt(served, SOL_SOCKET, SO_SNDBUF, &small_buffers, sizeof small_buffers);
  }
  ::close(listening);
  return {served, peer};
}
