#pragma once

#include <atomic>
#include <cstdint>

namespace perigee {

/// What a thread shows of its stays in Lua, and the orders that a Watchdog leaves for it. A stay begins where the
/// thread enters Lua and ends where it comes back. The thread writes the first half, the watchdog the second; both only
/// ever read single words, so that showing costs a few stores and no lock.
struct alignas(64) Pulse {
  // By the thread.
  std::atomic<std::uint64_t> stay{0};    ///< the number of the stay that lasts; 0 outside of Lua
  std::atomic<std::int64_t> left_ns{0};  ///< time that the stay may still take; kNoLimit for any
  std::uint64_t last = 0;                ///< the number of the latest stay; this thread only
  void* guest = nullptr;                 ///< whose stay it is; this thread only
  const void* frame = nullptr;           ///< of the function that entered Lua; this thread only

  // By the watchdog.
  std::atomic<std::int64_t> charged_ns{0};     ///< time that the stay has taken, as far as it was seen
  std::atomic<std::uint64_t> stop_stay{0};     ///< the stay that is over its limit
  std::atomic<std::uint64_t> blocked_stay{0};  ///< the stay that holds up its thread, to be reported
  std::atomic<std::int64_t> blocked_since{0};  ///< when that was first seen (monotonic_ns)

  /// By whoever wants the stay that lasts to end as if it were over its limit; whose stays these are takes it back.
  std::atomic<bool> stop{false};

  /// Something of the above is news for the thread. Either may set it; the thread looks when a stay ends.
  std::atomic<bool> noted{false};

  static constexpr std::int64_t kNoLimit = INT64_MAX;
};

/// This thread's.
inline thread_local constinit Pulse pulse;

}  // namespace perigee
