#include "base/watchdog.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <ctime>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/pulse.h"

using perigee::monotonic_ns;
using perigee::Pulse;
using perigee::Watchdog;

namespace {

std::atomic<int> signals{0};

// Counts the watchdog's signals while it lives.
class Counted {
 public:
  Counted() {
    signals = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++signals; };
    action.sa_flags = SA_RESTART;
    sigaction(Watchdog::signal(), &action, &before_);
  }
  ~Counted() { sigaction(Watchdog::signal(), &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

void nap() {
  const timespec moment{0, 1'000'000};
  nanosleep(&moment, nullptr);
}

// A stay of `limit` nanoseconds that computes, or sleeps, until `over` says so, ten seconds at most.
template <typename Over>
void stay(std::int64_t limit, bool compute, Over over) {
  perigee::pulse.charged_ns = 0;
  perigee::pulse.left_ns = limit;
  perigee::pulse.stay = ++perigee::pulse.last;
  for (const std::int64_t end = monotonic_ns() + 10'000'000'000; !over() && monotonic_ns() < end;) {
    if (!compute) {
      nap();
    }
  }
  perigee::pulse.stay = 0;
}

bool told_to_stop() {
  nap();
  return perigee::pulse.stop_stay == perigee::pulse.last;
}

}  // namespace

TEST_CASE("watchdog: a stay that computes for longer than it may is told to stop, again and again") {
  const Counted counted;
  Watchdog watchdog;
  std::thread([&watchdog] {
    const Watchdog::Watch watch(watchdog, Watchdog::Clock::kProcessor);
    const std::int64_t begun = monotonic_ns();
    stay(100'000'000, true, [] { return perigee::pulse.stop_stay == perigee::pulse.last && signals > 2; });
    CHECK(monotonic_ns() - begun > 90'000'000);
    CHECK(signals > 2);
    CHECK(perigee::pulse.noted);
  }).join();
}

TEST_CASE("watchdog: sleep costs no processor time, but wall time") {
  const Counted counted;
  Watchdog watchdog;
  std::thread([&watchdog] {
    const Watchdog::Watch watch(watchdog, Watchdog::Clock::kProcessor);
    const std::int64_t begun = monotonic_ns();
    stay(100'000'000, false, [begun] { return monotonic_ns() - begun > 200'000'000; });
    CHECK(signals == 0);
  }).join();
  std::thread([&watchdog] {
    const Watchdog::Watch watch(watchdog, Watchdog::Clock::kWall);
    stay(100'000'000, false, told_to_stop);
    CHECK(perigee::pulse.stop_stay == perigee::pulse.last);
  }).join();
}

TEST_CASE("watchdog: a stay that blocks its thread is reported once, while there is patience to be lost") {
  const Counted counted;
  Watchdog watchdog;
  const auto block = [&watchdog] {
    const Watchdog::Watch watch(watchdog, Watchdog::Clock::kProcessor);
    const std::int64_t begun = monotonic_ns();
    stay(Pulse::kNoLimit, false, [begun] { return monotonic_ns() - begun > 300'000'000; });
    return perigee::pulse.blocked_stay == perigee::pulse.last;
  };
  std::thread([&] { CHECK_FALSE(block()); }).join();
  watchdog.report_blocks_after(0.05);
  std::thread([&] { CHECK(block()); }).join();
  CHECK(signals == 1);
}

TEST_CASE("watchdog: a thread that is watched no more is left alone") {
  const Counted counted;
  Watchdog watchdog;
  std::thread([&watchdog] {
    { const Watchdog::Watch watch(watchdog, Watchdog::Clock::kWall); }
    const std::int64_t begun = monotonic_ns();
    stay(1, false, [begun] { return monotonic_ns() - begun > 50'000'000; });
  }).join();
  CHECK(signals == 0);
}
