#include "server/bench_lanes.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <thread>

using perigee::server::BenchLanes;

TEST_CASE("bench lanes: a meeting waits for all and knows the largest and the sums") {
  BenchLanes lanes(2, {});
  BenchLanes::Meeting there;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      there = lanes.meet({2, 10, 1});
    }
  });
  BenchLanes::Meeting here;
  for (int i = 0; i < 100; ++i) {
    here = lanes.meet({1, 20, 2});
  }
  other.join();
  for (const auto& meeting : {here, there}) {
    CHECK(meeting.largest == 2);
    CHECK(meeting.first == 30);
    CHECK(meeting.second == 3);
  }
}

TEST_CASE("bench lanes: nobody waits for one that has left") {
  BenchLanes lanes(2, {});
  lanes.leave();
  CHECK(std::isinf(lanes.meet({1, 0, 0}).largest));
}

TEST_CASE("bench lanes: apps with the same number share their state") {
  BenchLanes lanes(2, {});
  CHECK(lanes.state(1) == lanes.state(1));
  CHECK(lanes.state(0) != lanes.state(1));
}
