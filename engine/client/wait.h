#pragma once

#include <functional>
#include <utility>

#include "base/timer_wheel.h"

namespace perigee::client {

/// The patience of one who waits for something outside: until when, and whom to wake. One thread only.
class Wait {
 public:
  explicit Wait(TimerWheel& timers) : timers_(timers), timer_(*this) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// Begins an operation that may take `patience` milliseconds.
  void begin(Milliseconds patience) { deadline_ = monotonic_ms() + patience; }
  void set_deadline(Milliseconds deadline) { deadline_ = deadline; }

  [[nodiscard]] bool over() const { return monotonic_ms() >= deadline_; }

  /// Has `waker` called by wake(), or at the deadline; once.
  void sleep(std::function<void()> waker) {
    waker_ = std::move(waker);
    timers_.add(timer_, deadline_);
  }

  /// Nobody is to be woken any more.
  void stop() {
    timer_.cancel();
    waker_ = nullptr;
  }

  void wake() {
    timer_.cancel();
    if (const auto waker = std::exchange(waker_, nullptr)) {
      waker();
    }
  }

 private:
  TimerWheel& timers_;
  Milliseconds deadline_ = 0;
  std::function<void()> waker_;
  TimerOf<Wait, &Wait::wake> timer_;
};

}  // namespace perigee::client
