#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>

namespace perigee::net {

class Poller;

/// What a descriptor is watched for, and who is told. The thread of its Poller, which outlives it.
class Watch {
 public:
  using Events = std::uint32_t;
  static constexpr Events kRead = EPOLLIN;
  static constexpr Events kWrite = EPOLLOUT;

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Has `descriptor` watched for these events instead of those before; 0: for none, as it must be before it is closed.
  /// An error or the peer's end counts as whatever is watched for. Throws std::bad_alloc, and then nothing is watched.
  void set(int descriptor, Events events);
  [[nodiscard]] Events events() const { return events_; }

  /// Whether something was found that was not told yet.
  [[nodiscard]] bool found() const;

 protected:
  using Callback = void (*)(Watch& watch, Events events);
  Watch(Poller& poller, Callback callback) : poller_(poller), callback_(callback) {}
  ~Watch();

 private:
  friend class Poller;

  Poller& poller_;
  Callback callback_;
  Events events_ = 0;
};

/// A watch that calls a method of its owner with what was found. That may change and destroy any watch.
template <typename Owner, void (Owner::*Method)(Watch::Events)>
class WatchOf final : public Watch {
 public:
  WatchOf(Poller& poller, Owner& owner)
      : Watch(poller, [](Watch& watch, Events events) { (static_cast<WatchOf&>(watch).owner_.*Method)(events); }),
        owner_(owner) {}

 private:
  Owner& owner_;
};

/// Finds out which descriptors are ready: epoll(7), and nothing between it and whom it tells. One thread.
class Poller {
 public:
  static constexpr int kForever = -1;

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Looks once and tells what it found. `timeout`: milliseconds to wait where there is nothing; kForever, or 0.
  void poll(int timeout);

 private:
  friend class Watch;

  [[nodiscard]] epoll_event* untold(const Watch& watch);

  static constexpr int kBatch = 128;

  int descriptor_;
  std::array<epoll_event, kBatch> batch_;
  int next_ = 0;  // of the batch, to be told
  int count_ = 0;
};

}  // namespace perigee::net
