#include "base/timer_wheel.h"

#include <catch2/catch.hpp>
#include <limits>
#include <memory>
#include <random>
#include <vector>

using perigee::Milliseconds;
using perigee::Timer;
using perigee::TimerWheel;

namespace {

struct Alarm : Timer {
  explicit Alarm(TimerWheel& owner) : Timer(&ring), wheel(&owner) {}
  static void ring(Timer& timer) {
    auto& self = static_cast<Alarm&>(timer);
    self.rang_at = self.wheel->now();
    ++self.rings;
  }
  TimerWheel* wheel;
  Milliseconds rang_at = -1;
  int rings = 0;
};

}  // namespace

TEST_CASE("timer wheel: every timer fires at its own millisecond, whatever its distance") {
  const Milliseconds start = GENERATE(Milliseconds{0}, Milliseconds{63}, Milliseconds{4095}, Milliseconds{987654321});
  const Milliseconds distance = GENERATE(1, 2, 63, 64, 65, 4095, 4096, 4097, 262144, 16777217, 1073741824);
  TimerWheel wheel(start);
  Alarm alarm(wheel);
  wheel.add(alarm, start + distance);
  wheel.advance(start + distance - 1);
  CHECK(alarm.rings == 0);
  wheel.advance(start + distance);
  CHECK(alarm.rings == 1);
  CHECK(alarm.rang_at == start + distance);
}

TEST_CASE("timer wheel: a deadline in the past fires at the next tick") {
  TimerWheel wheel(100);
  Alarm alarm(wheel);
  wheel.add(alarm, 5);
  wheel.advance(100);
  CHECK(alarm.rings == 0);
  wheel.advance(101);
  CHECK(alarm.rings == 1);
}

TEST_CASE("timer wheel: a cancelled or destroyed timer never fires") {
  TimerWheel wheel(0);
  Alarm kept(wheel);
  auto gone = std::make_unique<Alarm>(wheel);
  wheel.add(kept, 50);
  wheel.add(*gone, 50);
  gone.reset();
  kept.cancel();
  CHECK_FALSE(kept.pending());
  wheel.advance(1000);
  CHECK(kept.rings == 0);
}

TEST_CASE("timer wheel: adding a pending timer moves it") {
  TimerWheel wheel(0);
  Alarm alarm(wheel);
  wheel.add(alarm, 10);
  wheel.add(alarm, 5000);
  wheel.advance(4999);
  CHECK(alarm.rings == 0);
  wheel.advance(5000);
  CHECK(alarm.rings == 1);
}

TEST_CASE("timer wheel: the next deadline is never late and is never when nothing waits") {
  TimerWheel wheel(7);
  CHECK(wheel.next_deadline() == std::numeric_limits<Milliseconds>::max());
  Alarm alarm(wheel);
  wheel.add(alarm, 7000);
  CHECK(wheel.next_deadline() <= 7000);
  CHECK(wheel.next_deadline() > 7);
  alarm.cancel();
  CHECK(wheel.next_deadline() == std::numeric_limits<Milliseconds>::max());
}

TEST_CASE("timer wheel: a callback may add again and cancel a neighbour") {
  struct Meddler : Timer {
    Meddler(TimerWheel& owner, Timer& other) : Timer(&ring), wheel(&owner), neighbour(&other) {}
    static void ring(Timer& timer) {
      auto& self = static_cast<Meddler&>(timer);
      self.neighbour->cancel();
      if (++self.rings < 3) {
        self.wheel->add(self, self.wheel->now());
      }
    }
    TimerWheel* wheel;
    Timer* neighbour;
    int rings = 0;
  };
  TimerWheel wheel(0);
  Alarm neighbour(wheel);
  Meddler meddler(wheel, neighbour);
  wheel.add(meddler, 64);
  wheel.add(neighbour, 64);
  wheel.advance(200);
  CHECK(meddler.rings == 3);
  CHECK(neighbour.rings == 0);
}

TEST_CASE("timer wheel: thousands of random timers, added while time runs, each fire once and on time") {
  std::mt19937 random(42);
  TimerWheel wheel(1'000'000);
  std::vector<std::unique_ptr<Alarm>> alarms;
  Milliseconds now = wheel.now();
  std::size_t wrong = 0;
  for (int step = 0; step < 4000; ++step) {
    alarms.push_back(std::make_unique<Alarm>(wheel));
    wheel.add(*alarms.back(), now + 1 + static_cast<Milliseconds>(random() % (1u << (random() % 20))));
    now += random() % 100;
    wheel.advance(now);
  }
  wheel.advance(now + (1 << 21));
  for (const auto& alarm : alarms) {
    wrong += alarm->rings != 1 || alarm->rang_at != alarm->deadline();
  }
  CHECK(wrong == 0);
}
