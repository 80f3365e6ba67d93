#pragma once

#include <cstdint>

namespace perigee {

/// What the kernel says of a thread's time so far, in nanoseconds; 0 where it does not say.
struct ThreadTimes {
  std::int64_t ran = 0;
  std::int64_t queued = 0;  ///< it waited for a processor; of a wait that lasts nothing is said yet
  bool ready = false;       ///< it runs now, or waits for a processor
};

/// Those of a thread of this process, by its number in the kernel. Any thread.
[[nodiscard]] ThreadTimes thread_times(int thread);

/// ThreadTimes::queued alone.
[[nodiscard]] std::int64_t queued_ns(int thread);

}  // namespace perigee
