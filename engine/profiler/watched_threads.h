#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "profiler/profile_kind.h"
#include "profiler/stack_names.h"
#include "profiler/stop_observer.h"
#include "profiler/thread_sampler.h"

namespace perigee::profiler {

/// The threads that a Recorder watches: at which rates they are sampled, and the taking of what was sampled. Any
/// thread, one at a time.
class WatchedThreads {
 public:
  /// The name of a route by what it is counted under; empty for none. Any thread.
  using RouteName = std::function<std::string(std::int32_t route)>;

  static constexpr std::int64_t kAllocationPeriod = 64 * 1024;  ///< bytes between two samples

  /// What a watched thread does for it. All are called on any thread, and must not wait; null: it has nothing to do.
  struct Hooks {
    std::function<void(bool on)> sample_allocations;  ///< has VMs call ThreadSampler::allocated(), or no longer
    std::function<void(bool on)> note_waits;          ///< has waits told to ThreadSampler::waits(), or no longer
  };

  /// What was sampled since it was taken before.
  struct Taken {
    std::vector<TakenSample> samples;
    std::vector<TakenSample> lasting;  ///< what has not ended: only for recordings that end now
    std::uint64_t lost = 0;
  };

  explicit WatchedThreads(RouteName route_name) : route_name_(std::move(route_name)) {}

  /// A thread is sampled at the rates in force from here on. REQUIRES: it is removed before the sampler ends.
  void add(ThreadSampler& sampler, Hooks hooks);
  void remove(ThreadSampler& sampler) noexcept;

  /// What a kind is sampled at; 0: not at all.
  [[nodiscard]] int rate(ProfileKind kind) const { return rates_[static_cast<std::size_t>(kind)]; }
  /// Changes it on all threads. An error: the system has no timers for it.
  [[nodiscard]] Result<> set_rate(ProfileKind kind, int hertz);

  /// `last`: what lasts is told, too.
  [[nodiscard]] Taken take(ProfileKind kind, bool last);
  /// Nobody wants what threads left that are gone.
  void forget_left() { left_ = {}; }

 private:
  struct Thread {
    ThreadSampler* sampler;
    Hooks hooks;
  };

  [[nodiscard]] static Result<> apply(const Thread& thread, ProfileKind kind, int hertz);
  void keep_what_is_left(ThreadSampler& sampler);
  void take_ring(ProfileKind kind, ThreadSampler& sampler, Taken& taken) const;
  void take_waits(ThreadSampler& sampler, bool last, Taken& taken) const;
  void take_stops(bool last, Taken& taken);
  [[nodiscard]] TakenSample named(const RawSample& sample, ThreadSampler& sampler) const;
  [[nodiscard]] TakenSample named(const WaitLog::Wait& wait, ThreadSampler& sampler) const;

  RouteName route_name_;
  StopObserver stops_;
  std::vector<Thread> threads_;
  std::array<Taken, kProfileKinds.size()> left_;  // by threads that are gone
  std::array<int, kProfileKinds.size()> rates_{};
};

}  // namespace perigee::profiler
