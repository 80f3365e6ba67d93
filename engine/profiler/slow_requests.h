#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "base/ticks.h"
#include "profiler/wait_operation.h"

namespace perigee::profiler {

/// How long a request waited for each operation.
using WaitTimes = std::array<Ticks, kWaitOperations>;

/// A request that took long, from its whole head to its answer's head.
struct SlowRequest {
  double time = 0;  ///< when it was answered, seconds since the epoch
  Ticks latency = 0;
  WaitTimes waits{};  ///< of the latency; the rest is what it computed, and what others computed before it
  int status = 0;
  std::string line;   ///< "GET /users/7?q=*", without the query's values
  std::string route;  ///< its pattern; "" where no route took it
  std::string id;
};

/// The slowest requests of late. One thread's.
class SlowRequests {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr double kKept = 600;     ///< seconds
  static constexpr double kLeast = 0.001;  ///< seconds: what took less is not slow

  /// Whether a request is among them: one comparison, for nearly all.
  [[nodiscard]] bool takes(Ticks latency) const noexcept { return latency > threshold_; }

  /// Keeps a request that was slow, in the place of the fastest one where there are kMost.
  void add(SlowRequest request);

  /// Drops what was answered kKept seconds before `now`.
  void forget(double now);

  [[nodiscard]] const std::vector<SlowRequest>& all() const { return kept_; }

 private:
  void raise();

  std::vector<SlowRequest> kept_;
  Ticks least_ = static_cast<Ticks>(kLeast / seconds_per_tick());
  Ticks threshold_ = least_;
};

}  // namespace perigee::profiler
