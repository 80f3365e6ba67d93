#include "profiler/cpu_profiler.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

#include "base/marks.h"

using namespace perigee;
using namespace perigee::profiler;

namespace {

std::atomic<std::uint64_t> sink{0};

__attribute__((noinline)) void spin_once() {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    sink.fetch_add(i, std::memory_order_relaxed);
  }
}

// A thread that computes until told to end.
class Spinner {
 public:
  Spinner(CpuProfiler& profiler, int worker, std::int32_t route)
      : thread_([this, &profiler, worker, route] {
          const CpuProfiler::Watch watch(profiler, worker);
          const std::int32_t counted_under[] = {route};
          marks.numbers = counted_under;
          marks.route = 0;
          marks.stage = Stage::kLua;
          ready_.set_value();
          while (!over_.load()) {
            spin_once();
          }
        }) {
    ready_.get_future().wait();
  }
  ~Spinner() {
    over_ = true;
    thread_.join();
  }

 private:
  std::promise<void> ready_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

std::string route_name(std::int32_t route) {
  return "route " + std::to_string(route);
}

Profile recorded(CpuProfiler& profiler, double seconds, int hertz) {
  std::promise<Profile> promise;
  REQUIRE(profiler.record(seconds, hertz, [&](Profile profile) { promise.set_value(std::move(profile)); }));
  return promise.get_future().get();
}

std::int64_t weight_of(const Profile& profile, std::string_view key, std::string_view text) {
  std::int64_t sum = 0;
  for (const Sample& sample : profile.samples()) {
    for (const Label& label : profile.label_sets()[sample.labels]) {
      sum += label.key == key && label.text == text ? sample.values[1] : 0;
    }
  }
  return sum;
}

bool names_function(const Profile& profile, std::string_view name) {
  for (const Frame& frame : profile.frames()) {
    if (frame.name.find(name) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("cpu profiler: all watched threads are recorded, with worker, route and function") {
  CpuProfiler profiler(route_name);
  const Spinner one(profiler, 0, 7);
  const Spinner two(profiler, 1, 8);
  const Profile profile = recorded(profiler, 0.5, 200);
  CHECK(weight_of(profile, "worker", "worker-1") > 0);
  CHECK(weight_of(profile, "worker", "worker-2") > 0);
  CHECK(weight_of(profile, "route", "route 7") == weight_of(profile, "worker", "worker-1"));
  CHECK(names_function(profile, "spin_once"));
  CHECK(profile.duration >= 500'000'000);
  CHECK(profile.period == 5'000'000);
}

TEST_CASE("cpu profiler: overlapping recordings at different rates see the same threads") {
  CpuProfiler profiler(route_name);
  const Spinner one(profiler, 0, 7);
  std::promise<Profile> slow;
  REQUIRE(profiler.record(0.5, 50, [&](Profile profile) { slow.set_value(std::move(profile)); }));
  const Profile quick = recorded(profiler, 0.2, 500);
  const Profile whole = slow.get_future().get();
  CHECK(weight_of(quick, "worker", "worker-1") > 0);
  CHECK(weight_of(whole, "worker", "worker-1") > weight_of(quick, "worker", "worker-1"));
}

TEST_CASE("cpu profiler: a cancelled recording is never told of") {
  CpuProfiler profiler(route_name);
  const Spinner one(profiler, 0, 7);
  std::atomic<bool> told{false};
  const auto number = profiler.record(0.1, 100, [&](Profile) { told = true; });
  REQUIRE(number);
  profiler.cancel(*number);
  static_cast<void>(recorded(profiler, 0.3, 100));
  CHECK(!told);
}

TEST_CASE("cpu profiler: threads may come and go while a recording lasts") {
  CpuProfiler profiler(route_name);
  std::promise<Profile> promise;
  REQUIRE(profiler.record(0.3, 1000, [&](Profile profile) { promise.set_value(std::move(profile)); }));
  for (int i = 0; i < 20; ++i) {
    const Spinner brief(profiler, i, 1);
    std::this_thread::yield();
  }
  CHECK(promise.get_future().get().duration > 0);
}

TEST_CASE("cpu profiler: nothing to record is an empty profile, and ending it early is no crash") {
  {
    CpuProfiler profiler(route_name);
    CHECK(recorded(profiler, 0.01, 99).samples().empty());
  }
  CpuProfiler profiler(route_name);
  REQUIRE(profiler.record(1000, 99, [](Profile) {}));
}

TEST_CASE("thread sampler: places are kept once each, and an unknown id is the unknown place") {
  ThreadSampler sampler(0);
  CHECK(ThreadSampler::current() == &sampler);
  const std::uint32_t id = sampler.place("@app.lua", "handler", 3, 2);
  CHECK(sampler.place("@app.lua", "handler", 3, 2) == id);
  CHECK(sampler.place("@app.lua", "handler", 4, 2) != id);
  CHECK(sampler.place_of(id).source == "@app.lua");
  CHECK(sampler.place_of(99).name == "(unknown)");
}
