#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/timer_wheel.h"
#include "net/event_loop.h"
#include "server/worker.h"

namespace perigee::server {

/// Asks the workers what only their own threads can see, and waits for it a moment: one that is busy is shown as it was
/// when it last answered, and as not responding. Nothing waits for the survey. Belongs to `loop`, the main thread's.
class WorkerSurvey {
 public:
  struct Seen {
    WorkerState state;
    bool answered = false;
  };
  /// By the workers' numbers.
  using Done = std::function<void(const std::vector<Seen>& seen)>;

  static constexpr Milliseconds kPatience = 100;

  /// REQUIRES: both outlive the survey, and the workers' threads end before it does.
  WorkerSurvey(net::EventLoop& loop, const std::vector<std::unique_ptr<Worker>>& workers);
  WorkerSurvey(const WorkerSurvey&) = delete;
  WorkerSurvey& operator=(const WorkerSurvey&) = delete;

  /// Has `done` called on the main thread. Requests that come while the workers are asked share what they say.
  void request(Done done);

 private:
  void take(std::size_t worker, std::uint64_t round, WorkerState state);
  void finish();

  net::EventLoop& loop_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  std::vector<Done> waiting_;
  std::vector<Seen> seen_;
  std::uint64_t round_ = 0;
  std::size_t missing_ = 0;
  TimerOf<WorkerSurvey, &WorkerSurvey::finish> patience_;
};

}  // namespace perigee::server
