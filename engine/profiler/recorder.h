#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "profiler/profile.h"
#include "profiler/stack_names.h"
#include "profiler/stop_observer.h"
#include "profiler/thread_sampler.h"

namespace perigee::profiler {

/// What a recording is of.
enum class ProfileKind : std::uint8_t {
  kCpu,    ///< what threads spend their own CPU time on
  kAlloc,  ///< what scripts allocate
  kWait,   ///< what tasks wait for, without holding anybody up
  kBlock   ///< where scripts hold up their thread
};

constexpr std::array kProfileKinds = {ProfileKind::kCpu, ProfileKind::kAlloc, ProfileKind::kWait, ProfileKind::kBlock};

/// "cpu", "alloc", "wait", "block".
[[nodiscard]] std::string_view word_of(ProfileKind kind);

/// Records what the watched threads do. Recordings may overlap: those of a kind share the samples, each of which
/// carries what it stands for, so that a second one at another rate falsifies neither. While none is under way nothing
/// is sampled and the recorder's own thread sleeps. Any thread.
class Recorder {
 public:
  using Clock = std::chrono::steady_clock;
  /// Told what came of a recording, on the recorder's thread. Not called for a recording that was cancelled.
  using Done = std::function<void(const Profile& profile)>;
  /// The name of a route by what it is counted under; empty for none. Any thread.
  using RouteName = std::function<std::string(std::int32_t route)>;

  static constexpr int kMostHertz = 1000;
  static constexpr std::int64_t kAllocationPeriod = 64 * 1024;  ///< bytes between two samples

  /// What a watched thread does for it. All are called on any thread, and must not wait; null: it has nothing to do.
  struct Hooks {
    std::function<void(bool on)> sample_allocations;  ///< has VMs call ThreadSampler::allocated(), or no longer
    std::function<void(bool on)> note_waits;          ///< has waits told to ThreadSampler::waits(), or no longer
  };

  /// The calling thread is among those that are recorded while this lives. REQUIRES: destroyed by the same thread,
  /// before the recorder.
  class Watch {
   public:
    Watch(Recorder& recorder, int worker, Hooks hooks = {});
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    void enter(Hooks hooks);
    void leave();

    Recorder& recorder_;
    ThreadSampler sampler_;
  };

  explicit Recorder(RouteName route_name);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Puts these among the comments of every profile of what runs, waits not being that. Before the first recording.
  void remark(std::vector<std::string> remarks) { remarks_ = std::move(remarks); }

  /// Begins a recording of `seconds`; its number. `hertz`, at most kMostHertz: kCpu takes so many samples for each
  /// second of a thread's CPU time, kBlock looks so often; for the others it means nothing. An error: the system has no
  /// timers for it.
  [[nodiscard]] Result<std::uint64_t> record(ProfileKind kind, double seconds, int hertz, Done done);
  /// Ends a recording before its time; `done` is called soon.
  void finish(std::uint64_t recording);
  /// Ends a recording whose result nobody wants any more. `done` is not called after this returns, unless it is being
  /// called now.
  void cancel(std::uint64_t recording);

 private:
  struct Recording;
  struct Thread {
    ThreadSampler* sampler;
    Hooks hooks;
  };
  struct Taken {
    std::vector<TakenSample> samples;
    std::vector<TakenSample> lasting;  // what has not ended: only for recordings that end now
    std::uint64_t lost = 0;
  };

  void run();
  void turn(std::unique_lock<std::mutex>& lock, std::list<Recording>& busy);
  void settle(std::list<Recording>& busy, Clock::time_point now, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Taken take(ProfileKind kind, bool last);
  void take_ring(ProfileKind kind, ThreadSampler& sampler, Taken& taken) const;
  void take_waits(ThreadSampler& sampler, bool last, Taken& taken) const;
  void take_stops(bool last, Taken& taken);
  [[nodiscard]] TakenSample named(const RawSample& sample, ThreadSampler& sampler) const;
  [[nodiscard]] TakenSample named(const WaitLog::Wait& wait, ThreadSampler& sampler) const;
  [[nodiscard]] int& rate(ProfileKind kind) { return rates_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> set_rates();
  [[nodiscard]] Result<> set_rate(ProfileKind kind, int hertz);
  [[nodiscard]] static Result<> apply(const Thread& thread, ProfileKind kind, int hertz);

  RouteName route_name_;
  std::vector<std::string> remarks_;
  StopObserver stops_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Recording> recordings_;       // guarded by mutex_, as is all that follows
  std::vector<std::uint64_t> cancelled_;  // recordings
  std::vector<std::uint64_t> finished_;   // likewise
  std::vector<Thread> threads_;
  std::array<Taken, kProfileKinds.size()> left_;  // by threads that are gone
  std::uint64_t last_number_ = 0;
  std::array<int, kProfileKinds.size()> rates_{};  // what each kind is taken at; 0: not at all
  bool over_ = false;
  std::thread thread_;  // begun by the first recording
};

}  // namespace perigee::profiler
