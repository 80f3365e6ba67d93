#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "profiler/profile.h"
#include "profiler/profile_kind.h"
#include "profiler/thread_sampler.h"
#include "profiler/watched_threads.h"

namespace perigee::profiler {

/// Records what the watched threads do. Recordings may overlap: those of a kind share the samples, each of which
/// carries what it stands for, so that a second one at another rate falsifies neither. While none is under way nothing
/// is sampled and the recorder's own thread sleeps. Any thread.
class Recorder {
 public:
  using Clock = std::chrono::steady_clock;
  /// Told what came of a recording, on the recorder's thread. Not called for a recording that was cancelled.
  using Done = std::function<void(const Profile& profile)>;
  using Hooks = WatchedThreads::Hooks;

  static constexpr int kMostHertz = 1000;

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

  explicit Recorder(WatchedThreads::RouteName route_name);
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

  void run();
  void turn(std::unique_lock<std::mutex>& lock, std::list<Recording>& ended);
  void settle(std::list<Recording>& ended, Clock::time_point now, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> set_rates();

  std::vector<std::string> remarks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Recording> recordings_;  // guarded by mutex_, as is all that follows
  std::list<Recording> busy_;        // whose samples are being named, with the mutex open: only the list is guarded
  std::vector<std::uint64_t> cancelled_;  // recordings
  std::vector<std::uint64_t> finished_;   // likewise
  WatchedThreads threads_;
  std::uint64_t last_number_ = 0;
  bool over_ = false;
  std::thread thread_;  // begun by the first recording
};

}  // namespace perigee::profiler
