#include "base/clock.h"

#include <catch2/catch.hpp>

TEST_CASE("clock: monotonic time never runs back, and its units agree") {
  const perigee::Milliseconds first = perigee::monotonic_ms();
  const std::int64_t nanoseconds = perigee::monotonic_ns();
  const perigee::Milliseconds last = perigee::monotonic_ms();
  CHECK(first <= nanoseconds / 1'000'000);
  CHECK(nanoseconds / 1'000'000 <= last);
}

TEST_CASE("clock: the coarse clock is at most a tick behind the exact one") {
  const perigee::Milliseconds before = perigee::monotonic_ms();
  const perigee::Milliseconds coarse = perigee::monotonic_coarse_ms();
  CHECK(coarse <= perigee::monotonic_ms());
  CHECK(coarse >= before - 20);
}

TEST_CASE("clock: wall time counts seconds with a fraction since the epoch") {
  const double now = perigee::wall_seconds();
  CHECK(now > 1.6e9);
  CHECK(perigee::wall_seconds() >= now - 1);
}
