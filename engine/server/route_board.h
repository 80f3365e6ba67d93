#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "profiler/latency_window.h"
#include "profiler/route_latencies.h"
#include "server/worker.h"

namespace perigee::server {

/// What the dashboard shows of routes: counts since the start, percentiles of late. Main thread.
class RouteBoard {
 public:
  static constexpr std::size_t kMost = 60;  ///< routes that are shown: those with the most requests
  static constexpr double kSpan = 15;       ///< seconds that percentiles look back: so many, to twice as many
  static constexpr double kShortSpan = 3;   ///< those of all routes together

  struct Latencies {
    std::uint64_t count = 0;  ///< that the percentiles are of
    double p50 = 0;           ///< seconds, as all that follow
    double p90 = 0;
    double p99 = 0;
  };
  struct Row {
    std::string method;
    std::string pattern;
    std::uint64_t requests = 0;
    std::uint64_t client_errors = 0;  ///< 4xx
    std::uint64_t errors = 0;         ///< 5xx
    bool recent = false;              ///< the latencies are of late; else there were none, and these are of all time
    Latencies latencies;
  };
  struct Board {
    std::vector<Row> rows;   ///< those with the most requests first
    std::size_t routes = 0;  ///< that were asked for, shown or not
    std::uint64_t requests = 0;
    std::uint64_t client_errors = 0;
    std::uint64_t errors = 0;
    Latencies latencies;  ///< of all, of late
  };

  /// `now`: seconds on a clock that never jumps.
  [[nodiscard]] Board look(const std::vector<std::unique_ptr<Worker>>& workers, const profiler::RouteNames& names,
                           double now);

 private:
  [[nodiscard]] profiler::LatencyWindow& window_of(std::size_t route, double now);

  std::map<std::size_t, profiler::LatencyWindow> windows_;  // by the routes' numbers
  double looked_ = -1;                                      // when that was last
  profiler::LatencyWindow whole_{kShortSpan};
};

}  // namespace perigee::server
