#include "profiler/recorder.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/marks.h"
#include "profiler/wait_sites.h"

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
  Spinner(Recorder& profiler, int worker, std::int32_t route)
      : thread_([this, &profiler, worker, route] {
          const Recorder::Watch watch(profiler, worker);
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

Profile recorded(Recorder& profiler, double seconds, int hertz) {
  std::promise<Profile> promise;
  REQUIRE(profiler.record(ProfileKind::kCpu, seconds, hertz,
                          [&](Profile profile) { promise.set_value(std::move(profile)); }));
  return promise.get_future().get();
}

// ThreadSanitizer's own functions have no frame pointers: who calls them is passed over where one was interrupted.
#if defined(__SANITIZE_THREAD__)
constexpr std::string_view kSpinning = "Spinner";
#else
constexpr std::string_view kSpinning = "spin_once";
#endif

std::int64_t weight_of(const Profile& profile, std::string_view key, std::string_view text) {
  std::int64_t sum = 0;
  for (const Sample& sample : profile.samples()) {
    for (const Label& label : profile.label_sets()[sample.labels]) {
      sum += label.key == key && label.text == text ? sample.values[1] : 0;
    }
  }
  return sum;
}

// What a worker comes to in the first of many short recordings that finds it computing.
std::int64_t weight_in_some(Recorder& profiler, int hertz, std::string_view worker) {
  std::int64_t weight = 0;
  while (weight == 0) {
    weight = weight_of(recorded(profiler, 0.05, hertz), "worker", worker);
  }
  return weight;
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

TEST_CASE("recorder: all watched threads are recorded, with worker, route and function") {
  Recorder profiler(route_name);
  const Spinner one(profiler, 0, 7);
  const Spinner two(profiler, 1, 8);
  const Profile profile = recorded(profiler, 0.5, 200);
  CHECK(weight_of(profile, "worker", "worker-1") > 0);
  CHECK(weight_of(profile, "worker", "worker-2") > 0);
  CHECK(weight_of(profile, "route", "route 7") == weight_of(profile, "worker", "worker-1"));
  CHECK(names_function(profile, kSpinning));
  CHECK(profile.duration >= 500'000'000);
  CHECK(profile.period == 5'000'000);
}

TEST_CASE("recorder: a recording has all that others at other rates are given while it lasts") {
  Recorder profiler(route_name);
  const Spinner one(profiler, 0, 7);
  std::promise<Profile> promise;
  const auto lasting =
      profiler.record(ProfileKind::kCpu, 1000, 50, [&](Profile profile) { promise.set_value(std::move(profile)); });
  REQUIRE(lasting);
  const std::int64_t quick = weight_in_some(profiler, 500, "worker-1");
  const std::int64_t slow = weight_in_some(profiler, 20, "worker-1");
  profiler.finish(*lasting);
  CHECK(weight_of(promise.get_future().get(), "worker", "worker-1") >= quick + slow);
}

TEST_CASE("recorder: what is remarked stands in every profile of what runs") {
  Recorder recorder(route_name);
  recorder.remark({"the clock is coarse"});
  CHECK(recorded(recorder, 0.05, 99).comments == std::vector<std::string>{"the clock is coarse"});
}

TEST_CASE("recorder: a cancelled recording is never told of") {
  Recorder profiler(route_name);
  const Spinner one(profiler, 0, 7);
  std::atomic<bool> told{false};
  const auto number = profiler.record(ProfileKind::kCpu, 0.1, 100, [&](Profile) { told = true; });
  REQUIRE(number);
  profiler.cancel(*number);
  static_cast<void>(recorded(profiler, 0.3, 100));
  CHECK(!told);
}

TEST_CASE("recorder: threads may come and go while a recording lasts") {
  Recorder profiler(route_name);
  std::promise<Profile> promise;
  REQUIRE(
      profiler.record(ProfileKind::kCpu, 0.3, 1000, [&](Profile profile) { promise.set_value(std::move(profile)); }));
  for (int i = 0; i < 20; ++i) {
    const Spinner brief(profiler, i, 1);
    std::this_thread::yield();
  }
  CHECK(promise.get_future().get().duration > 0);
}

TEST_CASE("recorder: nothing to record is an empty profile, and ending it early is no crash") {
  {
    Recorder profiler(route_name);
    CHECK(recorded(profiler, 0.01, 99).samples().empty());
  }
  Recorder profiler(route_name);
  REQUIRE(profiler.record(ProfileKind::kCpu, 1000, 99, [](Profile) {}));
}

TEST_CASE("recorder: waits count as far as they fall into the recording") {
  Recorder recorder(route_name);
  const Recorder::Watch watch(recorder, 0);
  WaitLog& log = ThreadSampler::current()->waits();
  std::promise<Profile> promise;
  const std::int64_t before = monotonic_ns() - 5'000'000'000;
  REQUIRE(
      recorder.record(ProfileKind::kWait, 0.1, 99, [&](Profile profile) { promise.set_value(std::move(profile)); }));
  int ended = 0;
  int lasts = 0;
  const std::uint32_t site = wait_site("perigee.test", "peer");
  const std::uint32_t place = ThreadSampler::current()->places().id("@app.lua", "handler", 3, 2);
  log.begin(&lasts, {before, 0, site, 5, {place}});
  log.end(&ended, {monotonic_ns() - 5'000'000'000, monotonic_ns() + 1'000'000, site, 4, {place}});
  const Profile profile = promise.get_future().get();
  CHECK(weight_of(profile, "route", "route 4") < 1'000'000'000);
  CHECK(weight_of(profile, "route", "route 4") > 0);
  CHECK(weight_of(profile, "route", "route 5") >= 90'000'000);
  CHECK(weight_of(profile, "route", "route 5") < 4'000'000'000);
  CHECK(weight_of(profile, "peer", "peer") > 0);
  CHECK(names_function(profile, "[perigee.test peer]"));
  CHECK(!log.recording());
}

TEST_CASE("recorder: recordings that come and go take nothing from one that lasts") {
  Recorder recorder(route_name);
  const Spinner spinner(recorder, 1, 7);
  const Recorder::Watch watch(recorder, 0);
  std::promise<Profile> promise;
  const auto waits =
      recorder.record(ProfileKind::kWait, 1000, 99, [&](Profile profile) { promise.set_value(std::move(profile)); });
  REQUIRE(waits);
  int lasts = 0;
  const std::uint32_t place = ThreadSampler::current()->places().id("@app.lua", "handler", 3, 2);
  ThreadSampler::current()->waits().begin(&lasts, {monotonic_ns(), 0, wait_site("perigee.test", "peer"), 5, {place}});
  REQUIRE(recorder.record(ProfileKind::kCpu, 1000, 1000, [](const Profile&) {}));  // whose samples are named meanwhile
  for (int i = 0; i < 2000; ++i) {
    const auto brief = recorder.record(ProfileKind::kAlloc, 1000, 99, [](const Profile&) {});
    REQUIRE(brief);
    recorder.cancel(*brief);
  }
  recorder.finish(*waits);
  CHECK(weight_of(promise.get_future().get(), "route", "route 5") > 0);
}

TEST_CASE("recorder: allocations are sampled so that their sum is right, also where they outrun the recorder") {
  Recorder recorder(route_name);
  std::atomic<int> told{0};
  const Recorder::Watch watch(recorder, 0, {[&](bool on) { told += on ? 1 : 100; }, {}});
  std::promise<Profile> promise;
  auto future = promise.get_future();
  REQUIRE(recorder.record(ProfileKind::kAlloc, 1, 99, [&](Profile profile) { promise.set_value(std::move(profile)); }));
  CHECK(told == 1);
  std::int64_t given = 0;
  const auto allocate = [&given](int times) {
    for (int i = 0; i < times; ++i) {
      ThreadSampler::current()->allocated(100);
      given += 100;
    }
  };
  allocate(1'000'000);  // about 1,500 samples: more than fit at once
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  allocate(10'000);
  const Profile profile = future.get();
  std::int64_t sum = 0;
  for (const Sample& sample : profile.samples()) {
    sum += sample.values[1];
  }
  CHECK(sum > given * 3 / 4);
  CHECK(sum < given * 5 / 4);
  CHECK(told == 101);
  CHECK(!ThreadSampler::current()->samples_allocations());
}
