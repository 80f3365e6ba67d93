#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "profiler/route_latencies.h"
#include "script/dispatcher.h"
#include "script/vm.h"

namespace perigee::server {

/// One loaded version of the app on one worker. Requests pin it; when a newer one has taken over it lives until the
/// last of them ends, or the drain deadline ends them.
struct Generation {
  Generation(std::unique_ptr<script::Vm> loaded, std::uint64_t serial)
      : vm(std::move(loaded)), dispatcher(*vm), number(serial) {}

  std::unique_ptr<script::Vm> vm;
  script::Dispatcher dispatcher;
  std::uint64_t number;
  std::vector<profiler::RouteLatencies*> latencies;  ///< where each of its routes is counted
  std::vector<std::int32_t> numbers;                 ///< what its routes are counted under, for Marks
  Milliseconds drain_deadline = 0;                   ///< 0 while it is current
  std::size_t pins = 0;       ///< requests that are this generation's, from their route match to their end
  Milliseconds unpinned = 0;  ///< when its last request had ended
  bool abandoned = false;     ///< its tasks did not end when they were told to
  bool stop_begun = false;    ///< its stop hooks were started
  bool stopped = false;       ///< and have ended
};

}  // namespace perigee::server
