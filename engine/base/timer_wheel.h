#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace perigee {

/// A place in a circular list of timers.
struct TimerLink {
  TimerLink* previous = nullptr;
  TimerLink* next = nullptr;
};

/// One deadline, a member of whoever waits for it. Leaves its wheel when destroyed.
class Timer : private TimerLink {
 public:
  using Callback = void (*)(Timer&);

  explicit Timer(Callback callback) : callback_(callback) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  [[nodiscard]] bool pending() const { return next != nullptr; }
  [[nodiscard]] Milliseconds deadline() const { return deadline_; }
  void cancel();

 private:
  friend class TimerWheel;

  Milliseconds deadline_ = 0;
  Callback callback_;
};

/// A timer that calls a method of its owner.
template <typename Owner, void (Owner::*Method)()>
class TimerOf final : public Timer {
 public:
  explicit TimerOf(Owner& owner)
      : Timer([](Timer& timer) { (static_cast<TimerOf&>(timer).owner_.*Method)(); }), owner_(owner) {}

 private:
  Owner& owner_;
};

/// A hierarchical timing wheel: adding, cancelling and firing cost the same however many timers wait
/// (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 7). One tick is a millisecond.
/// One thread only.
class TimerWheel {
 public:
  static constexpr int kSlots = 64;  ///< a level; what is due at a multiple of it fires from the level above

  explicit TimerWheel(Milliseconds now);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Fires `timer` at the first advance() at or after `deadline`; a timer already pending moves.
  void add(Timer& timer, Milliseconds deadline);

  /// Fires everything due up to `now`. A callback may add, cancel and destroy timers.
  void advance(Milliseconds now);

  /// No timer fires before this time; INT64_MAX when none waits. May be early, never late.
  [[nodiscard]] Milliseconds next_deadline();

  [[nodiscard]] Milliseconds now() const { return now_; }

 private:
  static constexpr int kLevels = 5;
  static constexpr int kBits = 6;  // a timer's level is the highest digit its time and now differ in
  static_assert(kSlots == 1 << kBits);
  struct Level {
    std::array<TimerLink, kSlots> slots;
    std::uint64_t occupied = 0;  // a set bit may outlive its slot's timers, never the other way round
  };

  void place(Timer& timer, Milliseconds earliest);
  [[nodiscard]] Milliseconds next_in(int level);
  void empty_slot(int level, bool fire);

  std::array<Level, kLevels> levels_;
  Milliseconds now_;
};

}  // namespace perigee
