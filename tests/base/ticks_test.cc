#include "base/ticks.h"

#include <catch2/catch.hpp>

using namespace perigee;

TEST_CASE("ticks: a tick is as long as it is said to be") {
  const double tick = seconds_per_tick();
  const Ticks begin = ticks();
  const std::int64_t begin_ns = monotonic_ns();
  while (monotonic_ns() - begin_ns < 5'000'000) {
  }
  const double counted = static_cast<double>(ticks_between(begin, ticks())) * tick;
  const double passed = static_cast<double>(monotonic_ns() - begin_ns) * 1e-9;
  // Only the order is sure on a machine that stops a thread between two reads: it was counted inside what passed.
  CHECK(counted >= 0.0049);
  CHECK(counted <= passed + 0.1);
  CHECK(seconds_per_tick() == tick);
}

TEST_CASE("ticks: nothing lasts less than nothing") {
  CHECK(ticks_between(10, 14) == 4);
  CHECK(ticks_between(14, 10) == 0);
}
