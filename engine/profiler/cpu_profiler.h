#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "profiler/profile.h"
#include "profiler/stack_names.h"
#include "profiler/thread_sampler.h"

namespace perigee::profiler {

/// Records what the watched threads spend their CPU time on. Recordings may overlap: they share the samples, each of
/// which carries the time it stands for, so that a second one at another rate falsifies neither. While none is under
/// way nothing is sampled and the profiler's own thread sleeps. Any thread.
class CpuProfiler {
 public:
  using Clock = std::chrono::steady_clock;
  /// Told what came of a recording, on the profiler's thread. Not called for a recording that was cancelled.
  using Done = std::function<void(Profile)>;
  /// The name of a route by what it is counted under; empty for none. Any thread.
  using RouteName = std::function<std::string(std::int32_t route)>;

  static constexpr int kMostHertz = 1000;

  /// The calling thread is among those that are recorded while this lives. REQUIRES: destroyed by the same thread,
  /// before the profiler.
  class Watch {
   public:
    Watch(CpuProfiler& profiler, int worker);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    CpuProfiler& profiler_;
    ThreadSampler sampler_;
  };

  explicit CpuProfiler(RouteName route_name);
  ~CpuProfiler();
  CpuProfiler(const CpuProfiler&) = delete;
  CpuProfiler& operator=(const CpuProfiler&) = delete;

  /// Begins a recording of `seconds` at `hertz` samples for each second of a thread's CPU time, at most kMostHertz; its
  /// number. An error: the system has no timers for it.
  [[nodiscard]] Result<std::uint64_t> record(double seconds, int hertz, Done done);
  /// Ends a recording whose result nobody wants any more. `done` is not called after this returns, unless it is being
  /// called now.
  void cancel(std::uint64_t recording);

 private:
  struct Recording;

  void run();
  void settle(std::list<Recording>& busy, Clock::time_point now, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::vector<TakenSample> take_samples();
  [[nodiscard]] std::uint64_t take_lost();
  [[nodiscard]] Result<> set_rate();

  RouteName route_name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Recording> recordings_;       // guarded by mutex_, as is all that follows
  std::vector<std::uint64_t> cancelled_;  // recordings
  std::vector<ThreadSampler*> samplers_;
  std::uint64_t last_number_ = 0;
  int hertz_ = 0;  // what the samplers run at; 0: they are stopped
  bool over_ = false;
  std::thread thread_;  // begun by the first recording
};

}  // namespace perigee::profiler
