#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/timer_wheel.h"
#include "net/event_loop.h"
#include "profiler/exposition.h"
#include "server/worker.h"

namespace perigee::server {

/// Makes the page of metrics. Whatever has figures to show adds a source; what only a worker's own thread can see, the
/// desk asks the workers for, and waits for it a moment: one that is busy is shown as it was when it last answered, and
/// as not responding. Belongs to `loop`, the main thread's.
class MetricsDesk {
 public:
  using Source = std::function<void(profiler::Exposition& page)>;
  using Done = std::function<void(std::string page)>;

  static constexpr Milliseconds kPatience = 100;  ///< for workers to answer

  /// REQUIRES: both outlive the desk, and the workers' threads end before it does.
  MetricsDesk(net::EventLoop& loop, const std::vector<std::unique_ptr<Worker>>& workers);
  MetricsDesk(const MetricsDesk&) = delete;
  MetricsDesk& operator=(const MetricsDesk&) = delete;

  /// Has `source` write its metrics on every page, behind those added before, on the main thread.
  void add(Source source) { sources_.push_back(std::move(source)); }

  /// Has `done` called on the main thread with the page. Requests that come while one is made share it.
  void request(Done done);

 private:
  struct Seen {
    WorkerState state;
    bool answered = false;
  };

  void take(std::size_t worker, std::uint64_t round, const WorkerState& state);
  void finish();
  void write_workers(profiler::Exposition& page);

  net::EventLoop& loop_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  std::vector<Source> sources_;
  std::vector<Done> waiting_;
  std::vector<Seen> seen_;
  std::uint64_t round_ = 0;
  std::size_t missing_ = 0;
  TimerOf<MetricsDesk, &MetricsDesk::finish> patience_;
};

}  // namespace perigee::server
