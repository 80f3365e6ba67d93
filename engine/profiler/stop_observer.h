#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "profiler/thread_sampler.h"

namespace perigee::profiler {

/// Watches from outside how long the stays of threads in their scripts last, tick by tick. A stay that outlasts a tick
/// holds its thread up: its time is charged to where the thread then is, which it is asked for by a signal. A thread
/// that sleeps or waits for the kernel is asked once: what passes until it moves belongs to the same place. So a stay
/// shorter than a tick costs nothing and is not seen. Any thread.
class StopObserver {
 public:
  static constexpr std::int64_t kLong = 50'000'000;  ///< nanoseconds: a stop that clients notice

  /// A sample of a stop with what it stands for.
  struct Stop {
    const ThreadSampler* thread;
    RawSample sample;  ///< weight: nanoseconds; count: 1 for the first of a stop, 0 for the others
    bool is_long;      ///< the stop took kLong or more
  };

  StopObserver() = default;
  ~StopObserver();
  StopObserver(const StopObserver&) = delete;
  StopObserver& operator=(const StopObserver&) = delete;

  /// REQUIRES: the sampler is removed before it ends.
  void add(ThreadSampler& sampler);
  void remove(const ThreadSampler& sampler);

  /// Begins to observe, or changes how many ticks a second there are.
  [[nodiscard]] Result<> start(int hertz);
  void stop();

  /// What was found out about stops that have ended; `all`: also about those that last. A place that is not known yet
  /// is a sample without any.
  [[nodiscard]] std::vector<Stop> take(bool all);

 private:
  struct Charge {  // what one signal's answer stands for
    std::uint64_t tag;
    std::int64_t weight;
  };
  struct Stay {
    std::uint64_t number = 0;  // 0: outside of the script
    std::vector<Charge> charges;
    std::int64_t total = 0;
    std::int64_t over = 0;  // when it was seen to have ended
  };
  struct Watched {
    explicit Watched(ThreadSampler& sampler) : thread(&sampler) {}

    ThreadSampler* thread;
    Stay now;
    std::int64_t seen = 0;  // until when the stay is accounted for
    std::int64_t cpu = 0;   // of the thread when it was asked last
    std::vector<Stay> ended;
    std::vector<RawSample> answers;
  };

  void run();
  void look_safely_at(Watched& watched, std::int64_t now);
  void look_at(Watched& watched, std::int64_t now);
  static void account(Watched& watched, std::int64_t now);
  static void collect(Watched& watched, Stay& stay, std::vector<Stop>& out);
  static void collect_rest(const Watched& watched, std::vector<Stop>& out);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched> watched_;  // guarded by mutex_, as is all that follows
  std::uint64_t last_tag_ = 0;
  int hertz_ = 0;  // 0: nobody asks
  bool over_ = false;
  std::thread thread_;
};

}  // namespace perigee::profiler
