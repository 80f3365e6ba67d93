#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/timer_wheel.h"
#include "net/event_loop.h"
#include "net/socket_address.h"

namespace perigee::net {

/// One attempt to connect to whichever of several addresses answers: they are begun one after the other, each a quarter
/// of a second after the one before or at once where that failed, the families taking turns; the first to be connected
/// wins (after RFC 8305). Ends what it began when it is destroyed. Loop thread only.
class Dialer {
 public:
  /// What came of it: a connected, non-blocking socket that is the receiver's from then on, or -1 and the error of the
  /// last address. May destroy the dialer.
  using Done = std::function<void(int fd, const std::string& error)>;

  static constexpr Milliseconds kHeadStart = 250;

  /// Begins with a call of `start()`. REQUIRES: there are addresses.
  Dialer(EventLoop& loop, std::vector<SocketAddress> addresses, Done done);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Begins. `done` may be called before it returns.
  void start();

  /// The addresses in the order in which they are tried: families take turns, beginning with the first one's.
  [[nodiscard]] static std::vector<SocketAddress> interleave(const std::vector<SocketAddress>& addresses);

 private:
  struct Attempt;

  void begin_next();
  [[nodiscard]] bool begin(const SocketAddress& address);
  void settle(Attempt& attempt);
  void finish(int fd);

  EventLoop& loop_;
  std::vector<SocketAddress> addresses_;
  Done done_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::size_t next_ = 0;
  std::string error_;
  TimerOf<Dialer, &Dialer::begin_next> timer_;
};

}  // namespace perigee::net
