#include "profiler/stop_observer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/new_thread.h"
#include "base/pulse.h"

namespace perigee::profiler {

namespace {

constexpr std::int64_t kSettled = 5'000'000;  // ns after a stay's end, when its answers are sure to be in
constexpr std::int64_t kMoved = 200'000;      // ns of CPU time after which a thread may be elsewhere

}  // namespace

StopObserver::~StopObserver() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void StopObserver::add(ThreadSampler& sampler) {
  const std::lock_guard lock(mutex_);
  watched_.emplace_back(sampler);
  if (hertz_ > 0) {
    static_cast<void>(sampler.take_interrupts());  // start() has seen that it can be
  }
}

void StopObserver::remove(const ThreadSampler& sampler) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watched_, [&](const Watched& one) { return one.thread == &sampler; });
}

Result<> StopObserver::start(int hertz) {
  const std::lock_guard lock(mutex_);
  for (Watched& watched : watched_) {
    TRY(watched.thread->take_interrupts());
    watched.now = {};
  }
  hertz_ = hertz;
  if (!thread_.joinable()) {
    thread_ = TRY(new_thread([this] {
      pthread_setname_np(pthread_self(), "perigee-stops");
      run();
    }));
  }
  changed_.notify_all();
  return {};
}

void StopObserver::stop() {
  const std::lock_guard lock(mutex_);
  hertz_ = 0;
  for (Watched& watched : watched_) {
    watched.now = {};
    watched.ended.clear();
    watched.answers.clear();
  }
}

void StopObserver::run() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    if (hertz_ == 0) {
      changed_.wait(lock);
      continue;
    }
    changed_.wait_for(lock, std::chrono::nanoseconds(1'000'000'000 / hertz_));
    const std::int64_t now = monotonic_ns();
    for (Watched& watched : watched_) {
      if (hertz_ > 0) {
        look_safely_at(watched, now);
      }
    }
  }
}

// Charges what has passed of the stay to where the thread was asked last.
void StopObserver::account(Watched& watched, std::int64_t now) {
  if (!watched.now.charges.empty()) {
    watched.now.charges.back().weight += now - watched.seen;
    watched.now.total += now - watched.seen;
    watched.seen = now;
  }
}

// A look for which there is no memory is none.
void StopObserver::look_safely_at(Watched& watched, std::int64_t now) try {
  look_at(watched, now);
} catch (const std::bad_alloc&) {
  return;
}

void StopObserver::look_at(Watched& watched, std::int64_t now) {
  const std::uint64_t stay = watched.thread->pulse().stay.load(std::memory_order_acquire);
  if (stay != watched.now.number) {
    account(watched, now);
    if (!watched.now.charges.empty()) {
      watched.now.over = now;
      watched.ended.push_back(std::move(watched.now));
    }
    watched.now = {stay, {}, 0, 0};
    watched.seen = now;
    return;
  }
  if (stay == 0) {
    return;
  }
  const std::int64_t cpu = watched.thread->cpu_time();
  if (!watched.now.charges.empty() && cpu - watched.cpu < kMoved) {
    return;  // it has not moved
  }
  // What passed since the last look may be the next place's as well as the last one's: the last one's answer is in.
  const bool first = watched.now.charges.empty();
  if (!first) {
    account(watched, now);
  }
  watched.now.charges.push_back({++last_tag_, first ? now - watched.seen : 0});
  watched.now.total += first ? now - watched.seen : 0;
  watched.seen = now;
  watched.cpu = cpu;
  watched.thread->interrupt(last_tag_);
}

// The answers of a stay, with what they stand for. What has no answer is the one's before, if there is one.
void StopObserver::collect(Watched& watched, Stay& stay, std::vector<Stop>& out) {
  const std::size_t first = out.size();
  for (Charge& charge : stay.charges) {
    const auto answer = std::find_if(watched.answers.begin(), watched.answers.end(),
                                     [&](const RawSample& sample) { return sample.tag == charge.tag; });
    if (answer != watched.answers.end()) {
      out.push_back({watched.thread, *answer, stay.total >= kLong});
      out.back().sample.count = out.size() == first + 1 ? 1 : 0;
      out.back().sample.weight = charge.weight;
      watched.answers.erase(answer);
    } else if (out.size() > first) {
      out.back().sample.weight += charge.weight;
    } else {
      continue;
    }
    charge.weight = 0;
  }
}

// Where the thread is that has not answered yet.
void StopObserver::collect_rest(const Watched& watched, std::vector<Stop>& out) {
  std::int64_t weight = 0;
  for (const Charge& charge : watched.now.charges) {
    weight += charge.weight;
  }
  if (weight > 0) {
    RawSample unknown{};
    unknown.weight = weight;
    unknown.count = 1;
    out.push_back({watched.thread, unknown, watched.now.total >= kLong});
  }
}

std::vector<StopObserver::Stop> StopObserver::take(bool all) {
  const std::lock_guard lock(mutex_);
  std::vector<Stop> out;
  const std::int64_t now = monotonic_ns();
  for (Watched& watched : watched_) {
    watched.thread->stopping().drain([&](const RawSample& sample) { watched.answers.push_back(sample); });
    for (Stay& stay : std::exchange(watched.ended, {})) {
      if (!all && now - stay.over < kSettled) {
        watched.ended.push_back(std::move(stay));
      } else {
        collect(watched, stay, out);
      }
    }
    if (all && !watched.now.charges.empty()) {
      account(watched, now);
      collect(watched, watched.now, out);
      collect_rest(watched, out);
    }
    if (watched.now.charges.empty() && watched.ended.empty()) {
      watched.answers.clear();  // of stays that ended just when they were asked
    }
  }
  return out;
}

}  // namespace perigee::profiler
