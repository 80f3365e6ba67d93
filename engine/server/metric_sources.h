#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "profiler/exposition.h"
#include "profiler/route_latencies.h"
#include "server/access_targets.h"
#include "server/error_log.h"
#include "server/worker.h"

namespace perigee::server {

// What the page of metrics shows, a function a subject. A new subject is a function here, or beside what it looks at,
// and a line in Server::add_metrics(). Main thread.

/// Requests, their latencies by route and status class, what was refused, connections, bytes: all workers together.
void write_requests(profiler::Exposition& page, const std::vector<std::unique_ptr<Worker>>& workers,
                    const profiler::RouteNames& names);

/// What tasks waited for, by operation and peer: all workers together.
void write_wait_sites(profiler::Exposition& page, const std::vector<std::unique_ptr<Worker>>& workers);

/// Events and lost lines.
void write_logs(profiler::Exposition& page, const ErrorLog& errors, AccessTargets& accesses);

/// What reloads have come to.
struct ReloadFigures {
  /// One reload.
  struct Reload {
    double time = 0;     ///< when it ended, seconds since the epoch
    double seconds = 0;  ///< that it took
    bool ok = false;
    std::uint64_t generation = 0;
    std::vector<std::string> mistakes;
  };
  static constexpr std::size_t kMostKept = 20;
  static constexpr std::size_t kMostMistakes = 5;  ///< of one that are kept

  /// One more has ended.
  void note(Reload reload);

  std::deque<Reload> latest;  ///< the last one first
  std::uint64_t generation = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  double last = 0;  ///< seconds since the epoch; 0: there was none
  bool last_ok = true;
};

void write_reloads(profiler::Exposition& page, const ReloadFigures& reloads);

}  // namespace perigee::server
