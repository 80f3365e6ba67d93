#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "profiler/exposition.h"
#include "profiler/route_latencies.h"
#include "server/access_targets.h"
#include "server/error_log.h"
#include "server/worker.h"
#include "state/shared_dictionaries.h"

namespace perigee::server {

// What the page of metrics shows, a function a subject. A new subject is a function here, or beside what it looks at,
// and a line in Server::add_metrics(). Main thread.

/// Requests, their latencies by route and status class, what was refused, connections, bytes: all workers together.
void write_requests(profiler::Exposition& page, const std::vector<std::unique_ptr<Worker>>& workers,
                    const profiler::RouteNames& names);

/// What tasks waited for, by operation and peer: all workers together.
void write_waits(profiler::Exposition& page, const std::vector<std::unique_ptr<Worker>>& workers);

/// Each shared dictionary.
void write_dictionaries(profiler::Exposition& page, state::SharedDictionaries& dictionaries);

/// Events and lost lines.
void write_logs(profiler::Exposition& page, const ErrorLog& errors, AccessTargets& accesses);

/// What reloads have come to.
struct ReloadFigures {
  std::uint64_t generation = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  double last = 0;  ///< seconds since the epoch; 0: there was none
  bool last_ok = true;
};

void write_reloads(profiler::Exposition& page, const ReloadFigures& reloads);

}  // namespace perigee::server
