#pragma once

#include <event2/event_struct.h>

#include <functional>

#include "base/result.h"
#include "base/timer_wheel.h"
#include "net/event_loop.h"
#include "net/peer_address.h"
#include "net/socket_address.h"

namespace perigee::net {

/// A bound, listening, non-blocking socket, closed when destroyed. A Unix socket's file is removed then.
class ListenSocket {
 public:
  /// Binds and listens. `reuse_port`: several sockets may share the address, the kernel spreads connections over them.
  [[nodiscard]] static Result<ListenSocket> open(const SocketAddress& address, int backlog, bool reuse_port);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  /// Where it listens, with the port the kernel chose for port 0.
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  ListenSocket(int fd, const SocketAddress& address) : fd_(fd), address_(address) {}
  void close();

  int fd_ = -1;
  SocketAddress address_;
};

/// Accepts connections on a loop. When descriptors run out it rests a moment instead of spinning, and the waiting
/// connection is turned away. Loop thread only.
class Listener {
 public:
  /// Receives a connected, non-blocking socket that it now owns.
  using OnAccept = std::function<void(int fd, const PeerAddress& peer)>;

  Listener(EventLoop& loop, ListenSocket socket, OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const SocketAddress& address() const { return socket_.address(); }

  /// Accepts whatever stands in the queue, so that closing the socket turns nobody away.
  void accept_all();

 private:
  static constexpr int kPerEvent = 64;
  static constexpr Milliseconds kRest = 100;

  bool accept_one();
  void rest();
  void resume();

  EventLoop& loop_;
  ListenSocket socket_;
  OnAccept on_accept_;
  event event_;
  TimerOf<Listener, &Listener::resume> timer_;
  int reserve_;  // a descriptor to give up when there are no others
};

}  // namespace perigee::net
