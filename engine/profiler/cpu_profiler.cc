#include "profiler/cpu_profiler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "profiler/stack_names.h"

namespace perigee::profiler {

namespace {

constexpr auto kDrainEvery = std::chrono::milliseconds(50);

std::int64_t nanoseconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct CpuProfiler::Recording {
  Recording(std::uint64_t n, int h, Clock::time_point b, double seconds, Done d)
      : number(n),
        hertz(h),
        began(b),
        ends(b + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
        done(std::move(d)),
        profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}}) {
    profile.started = nanoseconds_since_1970();
    profile.period = 1'000'000'000 / hertz;
  }

  void add(const std::vector<TakenSample>& taken, std::uint64_t lost) {
    for (const TakenSample& sample : taken) {
      names.add(profile, sample);
    }
    if (lost > 0) {
      profile.comments.push_back(std::to_string(lost) + " samples were lost: they came faster than they were read");
    }
  }

  std::uint64_t number;
  int hertz;
  Clock::time_point began;
  Clock::time_point ends;
  Done done;
  Profile profile;
  StackNames names;
};

CpuProfiler::Watch::Watch(CpuProfiler& profiler, int worker) : profiler_(profiler), sampler_(worker) {
  const std::lock_guard lock(profiler_.mutex_);
  profiler_.samplers_.push_back(&sampler_);
  if (profiler_.hertz_ > 0) {
    static_cast<void>(sampler_.start(profiler_.hertz_));  // the recording began elsewhere: it has the others
  }
}

CpuProfiler::Watch::~Watch() {
  const std::lock_guard lock(profiler_.mutex_);
  std::erase(profiler_.samplers_, &sampler_);
}

CpuProfiler::CpuProfiler(RouteName route_name) : route_name_(std::move(route_name)) {}

CpuProfiler::~CpuProfiler() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

Result<std::uint64_t> CpuProfiler::record(double seconds, int hertz, Done done) {
  const std::lock_guard lock(mutex_);
  recordings_.emplace_back(++last_number_, std::clamp(hertz, 1, kMostHertz), Clock::now(), seconds, std::move(done));
  if (const Result<> started = set_rate(); !started) {
    recordings_.pop_back();
    static_cast<void>(set_rate());
    return fail(started.error().message);
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  }
  changed_.notify_all();
  return last_number_;
}

void CpuProfiler::cancel(std::uint64_t recording) {
  const std::lock_guard lock(mutex_);
  recordings_.remove_if([&](const Recording& one) { return one.number == recording; });
  cancelled_.push_back(recording);  // it may be with the profiler's thread
  static_cast<void>(set_rate());
}

// The samplers run at the highest rate that anybody asked for.
Result<> CpuProfiler::set_rate() {
  int hertz = 0;
  for (const Recording& recording : recordings_) {
    hertz = std::max(hertz, recording.hertz);
  }
  if (hertz == hertz_) {
    return {};
  }
  hertz_ = hertz;
  for (ThreadSampler* sampler : samplers_) {
    if (hertz > 0) {
      TRY(sampler->start(hertz));
    } else {
      sampler->stop();
    }
  }
  return {};
}

void CpuProfiler::run() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    if (recordings_.empty()) {
      cancelled_.clear();
      changed_.wait(lock);
      continue;
    }
    changed_.wait_for(lock, kDrainEvery);
    std::list<Recording> busy;
    busy.splice(busy.end(), recordings_);
    const Clock::time_point now = Clock::now();  // of these samples: naming them may take long
    const std::vector<TakenSample> taken = take_samples();
    const std::uint64_t lost = take_lost();
    lock.unlock();
    for (Recording& recording : busy) {  // naming what was found reads files
      recording.add(taken, lost);
    }
    lock.lock();
    settle(busy, now, lock);
  }
}

// Puts back those that go on, and ends those whose time is over.
void CpuProfiler::settle(std::list<Recording>& busy, Clock::time_point now, std::unique_lock<std::mutex>& lock) {
  busy.remove_if([&](const Recording& one) {
    return std::find(cancelled_.begin(), cancelled_.end(), one.number) != cancelled_.end();
  });
  cancelled_.clear();
  for (auto at = busy.begin(); at != busy.end();) {
    const auto next = std::next(at);
    if (at->ends > now) {
      recordings_.splice(recordings_.end(), busy, at);
    }
    at = next;
  }
  static_cast<void>(set_rate());
  lock.unlock();
  for (Recording& recording : busy) {
    recording.profile.duration = std::chrono::duration_cast<std::chrono::nanoseconds>(now - recording.began).count();
    recording.done(std::move(recording.profile));
  }
  lock.lock();
}

std::vector<TakenSample> CpuProfiler::take_samples() {
  std::vector<TakenSample> taken;
  for (ThreadSampler* sampler : samplers_) {
    sampler->drain([&](const RawSample& sample) {
      TakenSample& one = taken.emplace_back();
      one.raw = sample;
      one.worker = sampler->worker();
      one.route = sample.route < 0 ? std::string() : route_name_(sample.route);
      for (std::size_t i = 0; i < sample.places; ++i) {
        one.places.push_back(sampler->place_of(sample.script[i]));
      }
    });
  }
  return taken;
}

std::uint64_t CpuProfiler::take_lost() {
  std::uint64_t lost = 0;
  for (ThreadSampler* sampler : samplers_) {
    lost += sampler->take_lost();
  }
  return lost;
}

}  // namespace perigee::profiler
