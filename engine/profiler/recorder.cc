#include "profiler/recorder.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/insist.h"
#include "base/log.h"
#include "base/new_thread.h"
#include "profiler/stack_names.h"

namespace perigee::profiler {

namespace {

constexpr auto kDrainEvery = std::chrono::milliseconds(20);

std::int64_t nanoseconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::vector<ValueType> types_of(ProfileKind kind) {
  switch (kind) {
    case ProfileKind::kCpu:
      return {{"samples", "count"}, {"cpu", "nanoseconds"}};
    case ProfileKind::kAlloc:
      return {{"alloc_objects", "count"}, {"alloc_space", "bytes"}};
    case ProfileKind::kWait:
      return {{"waits", "count"}, {"delay", "nanoseconds"}};
    case ProfileKind::kBlock:
      return {{"stops", "count"}, {"delay", "nanoseconds"}};
  }
  return {};
}

std::int64_t period_of(ProfileKind kind, int hertz) {
  return kind == ProfileKind::kAlloc  ? WatchedThreads::kAllocationPeriod
         : kind == ProfileKind::kWait ? 1
                                      : 1'000'000'000 / hertz;
}

}  // namespace

struct Recorder::Recording {
  Recording(ProfileKind k, std::uint64_t n, int h, double seconds, Done d)
      : kind(k),
        number(n),
        hertz(h),
        began(Clock::now()),
        began_ns(monotonic_ns()),
        ends(began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
        done(std::move(d)),
        profile(types_of(k)) {
    profile.started = nanoseconds_since_1970();
    profile.period = period_of(kind, hertz);
  }

  // A wait counts as far as it falls into the recording.
  void add(const TakenSample& sample) {
    if (sample.ended == 0) {
      names.add(profile, sample);
      return;
    }
    TakenSample part = sample;
    part.raw.weight = sample.ended - std::max(sample.began, began_ns);
    if (part.raw.weight > 0) {
      names.add(profile, part);
    }
  }

  void add(const WatchedThreads::Taken& taken, bool last) {
    for (const TakenSample& sample : taken.samples) {
      add(sample);
    }
    for (const TakenSample& sample : taken.lasting) {
      if (last) {
        add(sample);
      }
    }
    lost += taken.lost;
  }

  Profile finish(Clock::time_point now, const std::vector<std::string>& remarks) {
    if (kind != ProfileKind::kWait) {
      profile.comments = remarks;
    }
    profile.duration = std::chrono::duration_cast<std::chrono::nanoseconds>(now - began).count();
    if (lost > 0) {
      profile.comments.push_back(std::to_string(lost) + " samples were lost: they came faster than they were read");
    }
    return std::move(profile);
  }

  ProfileKind kind;
  std::uint64_t number;
  int hertz;
  Clock::time_point began;
  std::int64_t began_ns;
  Clock::time_point ends;
  Done done;
  Profile profile;
  StackNames names;
  std::uint64_t lost = 0;
};

Recorder::Watch::Watch(Recorder& recorder, int worker, Hooks hooks) : recorder_(recorder), sampler_(worker) {
  try {
    enter(std::move(hooks));
  } catch (const std::bad_alloc&) {
    leave();
    throw;
  }
}

void Recorder::Watch::enter(Hooks hooks) {
  const std::lock_guard lock(recorder_.mutex_);
  recorder_.threads_.add(sampler_, std::move(hooks));
}

Recorder::Watch::~Watch() {
  leave();
}

void Recorder::Watch::leave() {
  const std::lock_guard lock(recorder_.mutex_);
  recorder_.threads_.remove(sampler_);
}

Recorder::Recorder(WatchedThreads::RouteName route_name) : threads_(std::move(route_name)) {}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

Result<std::uint64_t> Recorder::record(ProfileKind kind, double seconds, int hertz, Done done) {
  const std::lock_guard lock(mutex_);
  recordings_.emplace_back(kind, ++last_number_, std::clamp(hertz, 1, kMostHertz), seconds, std::move(done));
  if (Result<> started = begin(); !started) {
    recordings_.pop_back();
    static_cast<void>(set_rates());
    return tl::unexpected(std::move(started).error());
  }
  changed_.notify_all();
  return last_number_;
}

// What is newly asked for has its thread and its rate. REQUIRES: the mutex is held.
Result<> Recorder::begin() {
  if (!thread_.joinable()) {
    thread_ = TRY(new_thread([this] { run(); }));
  }
  return set_rates();
}

void Recorder::finish(std::uint64_t recording) {
  const std::lock_guard lock(mutex_);
  finished_.push_back(recording);
  changed_.notify_all();
}

void Recorder::cancel(std::uint64_t recording) {
  const std::lock_guard lock(mutex_);
  recordings_.remove_if([&](const Recording& one) { return one.number == recording; });
  cancelled_.push_back(recording);  // it may be with the recorder's thread
  static_cast<void>(set_rates());
}

// Each kind is taken at the highest rate that anybody asked for.
Result<> Recorder::set_rates() {
  for (const ProfileKind kind : kProfileKinds) {
    int hertz = 0;
    for (const std::list<Recording>* list : {&recordings_, &busy_}) {
      for (const Recording& recording : *list) {
        hertz = recording.kind == kind ? std::max(hertz, recording.hertz) : hertz;
      }
    }
    if (hertz != threads_.rate(kind)) {
      TRY(threads_.set_rate(kind, hertz));
    }
  }
  return {};
}

void Recorder::run() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    if (recordings_.empty()) {
      cancelled_.clear();
      finished_.clear();
      threads_.forget_left();
      changed_.wait(lock);
      continue;
    }
    changed_.wait_for(lock, kDrainEvery);
    std::list<Recording> ended;
    try {
      turn(lock, ended);
    } catch (const std::bad_alloc&) {
      log_event(LogLevel::kError, "out of memory: samples of a profile are lost");
      if (!lock.owns_lock()) {
        lock.lock();
      }
      recordings_.splice(recordings_.end(), busy_);  // the next turn goes on with them,
      recordings_.splice(recordings_.end(), ended);  // and ends those whose time is over
    }
  }
}

// What was found since the last turn goes into every recording of its kind.
void Recorder::turn(std::unique_lock<std::mutex>& lock, std::list<Recording>& ended) {
  busy_.splice(busy_.end(), recordings_);
  const Clock::time_point now = Clock::now();  // of these samples: naming them may take long
  for (Recording& recording : busy_) {
    const auto found = std::find(finished_.begin(), finished_.end(), recording.number);
    recording.ends = found == finished_.end() ? recording.ends : now;
  }
  finished_.clear();
  std::array<WatchedThreads::Taken, kProfileKinds.size()> taken;
  for (const ProfileKind kind : kProfileKinds) {
    const auto ending = [&](const Recording& one) { return one.kind == kind && one.ends <= now; };
    if (threads_.rate(kind) > 0) {
      taken[static_cast<std::size_t>(kind)] = threads_.take(kind, std::any_of(busy_.begin(), busy_.end(), ending));
    }
  }
  lock.unlock();
  for (Recording& recording : busy_) {  // naming what was found reads files
    recording.add(taken[static_cast<std::size_t>(recording.kind)], recording.ends <= now);
  }
  lock.lock();
  settle(ended, now, lock);
}

// Puts back those that go on, and ends those whose time is over.
void Recorder::settle(std::list<Recording>& ended, Clock::time_point now, std::unique_lock<std::mutex>& lock) {
  busy_.remove_if([&](const Recording& one) {
    return std::find(cancelled_.begin(), cancelled_.end(), one.number) != cancelled_.end();
  });
  cancelled_.clear();
  while (!busy_.empty()) {
    std::list<Recording>& next = busy_.front().ends > now ? recordings_ : ended;
    next.splice(next.end(), busy_, busy_.begin());
  }
  static_cast<void>(set_rates());
  lock.unlock();
  while (!ended.empty()) {
    const Profile profile = ended.front().finish(now, remarks_);
    if (!insist([&] { ended.front().done(profile); })) {
      log_event(LogLevel::kError, "out of memory: who asked for a profile does not get it");
    }
    ended.pop_front();
  }
  lock.lock();
}

}  // namespace perigee::profiler
