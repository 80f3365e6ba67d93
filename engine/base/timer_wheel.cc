#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace perigee {
namespace {

constexpr Milliseconds kNever = std::numeric_limits<Milliseconds>::max();

void make_empty(TimerLink& head) {
  head.previous = head.next = &head;
}

void push_back(TimerLink& head, TimerLink& link) {
  link.previous = head.previous;
  link.next = &head;
  head.previous->next = &link;
  head.previous = &link;
}

// Moves every link of `from` to the empty list `to`.
void splice(TimerLink& from, TimerLink& to) {
  if (from.next == &from) {
    make_empty(to);
    return;
  }
  to = from;
  to.next->previous = &to;
  to.previous->next = &to;
  make_empty(from);
}

}  // namespace

void Timer::cancel() {
  if (next != nullptr) {
    previous->next = next;
    next->previous = previous;
    next = previous = nullptr;
  }
}

TimerWheel::TimerWheel(Milliseconds now) : now_(now) {
  for (Level& level : levels_) {
    std::for_each(level.slots.begin(), level.slots.end(), make_empty);
  }
}

TimerWheel::~TimerWheel() {
  for (Level& level : levels_) {
    for (TimerLink& head : level.slots) {
      while (head.next != &head) {
        static_cast<Timer*>(head.next)->cancel();
      }
    }
  }
}

void TimerWheel::add(Timer& timer, Milliseconds deadline) {
  timer.cancel();
  timer.deadline_ = deadline;
  place(timer, now_ + 1);
}

void TimerWheel::place(Timer& timer, Milliseconds earliest) {
  // What lies beyond the wheel waits on its rim and is placed again from there.
  constexpr Milliseconds kSpan = Milliseconds{1} << (kBits * kLevels);
  const Milliseconds at = std::clamp(timer.deadline_, earliest, now_ + kSpan - 1);
  const int digit = (std::bit_width(static_cast<std::uint64_t>(at ^ now_) | 1) - 1) / kBits;
  const int number = std::min(digit, kLevels - 1);
  const auto slot = static_cast<std::size_t>(at >> (number * kBits)) & (kSlots - 1);
  levels_[static_cast<std::size_t>(number)].occupied |= std::uint64_t{1} << slot;
  push_back(levels_[static_cast<std::size_t>(number)].slots[slot], timer);
}

Milliseconds TimerWheel::next_in(int number) {
  Level& level = levels_[static_cast<std::size_t>(number)];
  const Milliseconds turn = now_ >> (number * kBits);
  while (level.occupied != 0) {
    // Bit d-1 of the rotated word says whether the slot d turns from now is occupied.
    const std::uint64_t ahead = std::rotr(level.occupied, static_cast<int>((turn + 1) & (kSlots - 1)));
    const int distance = std::countr_zero(ahead) + 1;
    const auto slot = static_cast<std::size_t>(turn + distance) & (kSlots - 1);
    if (level.slots[slot].next != &level.slots[slot]) {
      return (turn + distance) << (number * kBits);
    }
    level.occupied &= ~(std::uint64_t{1} << slot);
  }
  return kNever;
}

Milliseconds TimerWheel::next_deadline() {
  Milliseconds next = kNever;
  for (int level = 0; level < kLevels; ++level) {
    next = std::min(next, next_in(level));
  }
  return next;
}

void TimerWheel::empty_slot(int number, bool fire) {
  const auto slot = static_cast<std::size_t>(now_ >> (number * kBits)) & (kSlots - 1);
  TimerLink batch;  // callbacks may refill the slot
  splice(levels_[static_cast<std::size_t>(number)].slots[slot], batch);
  while (batch.next != &batch) {
    Timer& timer = *static_cast<Timer*>(batch.next);
    timer.cancel();
    if (fire || timer.deadline_ <= now_) {
      timer.callback_(timer);
    } else {
      place(timer, now_);
    }
  }
}

void TimerWheel::advance(Milliseconds now) {
  while (now_ < now) {
    now_ = now - now_ == 1 ? now : std::min(next_deadline(), now);  // nothing lies between two ticks
    for (int level = kLevels - 1; level > 0; --level) {
      if ((now_ & ((Milliseconds{1} << (level * kBits)) - 1)) == 0) {
        empty_slot(level, false);
      }
    }
    empty_slot(0, true);
  }
}

}  // namespace perigee
