#include "profiler/watched_threads.h"

#include <catch2/catch.hpp>

#include "../memory_faults.h"
#include "base/log.h"

using namespace perigee;
using namespace perigee::profiler;

namespace {

constexpr std::int64_t kGiven = 64 * WatchedThreads::kAllocationPeriod;

// A thread that has allocated, and leaves where its allocation number `failing` fails: what is told of it.
WatchedThreads::Taken left_behind(int failing) {
  WatchedThreads threads([](std::int32_t) { return std::string(); });
  {
    ThreadSampler sampler(0);
    threads.add(sampler, {});
    REQUIRE(threads.set_rate(ProfileKind::kAlloc, 1));
    for (int i = 0; i < 64; ++i) {
      sampler.allocated(WatchedThreads::kAllocationPeriod);
    }
    memory_faults::fail_once(failing);
    threads.remove(sampler);
    memory_faults::fail_none();
  }
  return threads.take(ProfileKind::kAlloc, true);
}

std::int64_t weight_of(const WatchedThreads::Taken& taken) {
  std::int64_t sum = 0;
  for (const TakenSample& sample : taken.samples) {
    sum += sample.raw.weight;
  }
  return sum;
}

/// Nothing is written while it lives.
class Silence final : public LogSink {
 public:
  Silence() { set_log_sink(this); }
  ~Silence() override { set_log_sink(nullptr); }
  void write(LogLevel, std::string_view) override { ++events; }
  void write(LogLevel, std::string_view, std::string_view, std::string_view) override { ++events; }
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }

  int events = 0;
};

}  // namespace

TEST_CASE("watched threads: what a thread was sampled at outlives it") {
  const WatchedThreads::Taken taken = left_behind(memory_faults::kAll);
  CHECK(weight_of(taken) > kGiven / 4);
  CHECK(weight_of(taken) < kGiven * 4);
}

TEST_CASE("watched threads: one that leaves while memory is short loses samples and nothing else") {
  Silence log;
  for (int failing = 1; failing <= 20; ++failing) {
    const int before = log.events;
    const WatchedThreads::Taken taken = left_behind(failing);
    CHECK(weight_of(taken) < kGiven * 4);
    CHECK((log.events > before || weight_of(taken) > kGiven / 4));
  }
  CHECK(log.events > 0);
}
