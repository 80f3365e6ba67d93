#include "client/wait.h"

#include <catch2/catch.hpp>

using perigee::TimerWheel;
using perigee::client::Wait;

TEST_CASE("wait: who sleeps is woken once, by an event or the deadline") {
  TimerWheel timers(perigee::monotonic_ms());
  Wait wait(timers);
  int woken = 0;
  wait.begin(1000);
  CHECK_FALSE(wait.over());
  wait.sleep([&] { ++woken; });
  wait.wake();
  wait.wake();
  CHECK(woken == 1);
  wait.sleep([&] { ++woken; });
  timers.advance(perigee::monotonic_ms() + 2000);
  CHECK(woken == 2);
  wait.sleep([&] { ++woken; });
  wait.stop();
  timers.advance(perigee::monotonic_ms() + 4000);
  CHECK(woken == 2);
  wait.begin(0);
  CHECK(wait.over());
}
