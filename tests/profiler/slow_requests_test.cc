#include "profiler/slow_requests.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

using namespace perigee;
using namespace perigee::profiler;

namespace {

Ticks ticks_of(double seconds) {
  return static_cast<Ticks>(seconds / seconds_per_tick());
}

SlowRequest request(double time, double seconds) {
  SlowRequest made;
  made.time = time;
  made.latency = ticks_of(seconds);
  return made;
}

std::vector<double> times(const SlowRequests& slow) {
  std::vector<double> found;
  for (const SlowRequest& one : slow.all()) {
    found.push_back(one.time);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("slow requests: what takes less than a millisecond is none") {
  const SlowRequests slow;
  CHECK_FALSE(slow.takes(ticks_of(0.0009)));
  CHECK(slow.takes(ticks_of(0.0011)));
}

TEST_CASE("slow requests: of more than are kept the fastest goes") {
  SlowRequests slow;
  for (std::size_t i = 0; i < SlowRequests::kMost + 2; ++i) {
    slow.add(request(static_cast<double>(i), 0.010 + 0.001 * static_cast<double>(i)));
  }
  CHECK(slow.all().size() == SlowRequests::kMost);
  CHECK(times(slow).front() == 2);
  CHECK_FALSE(slow.takes(ticks_of(0.0115)));
  CHECK(slow.takes(ticks_of(0.0125)));
  slow.add(request(99, 0.005));  // who adds it unasked changes nothing
  CHECK(times(slow).front() == 2);
}

TEST_CASE("slow requests: after ten minutes they are forgotten, and slower ones no measure any more") {
  SlowRequests slow;
  for (int i = 0; i < 40; ++i) {
    slow.add(request(i < 20 ? 100 : 500, 5));
  }
  CHECK_FALSE(slow.takes(ticks_of(1)));
  slow.forget(100 + SlowRequests::kKept + 1);
  CHECK(times(slow) == std::vector<double>(slow.all().size(), 500));
  CHECK(slow.takes(ticks_of(1)));
  slow.add(request(2000, 1));
  CHECK(times(slow) == std::vector<double>{2000});
}
