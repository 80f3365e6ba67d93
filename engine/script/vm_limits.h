#pragma once

#include <cstddef>
#include <cstdint>

#include "base/pulse.h"

namespace perigee::script {

/// Bytes of a limit that sets none.
inline constexpr std::size_t kAnyMemory = SIZE_MAX / 4;

/// What the code of a VM may take. Times in nanoseconds, Pulse::kNoLimit for any; memory in bytes, kAnyMemory for any.
struct VmLimits {
  std::int64_t cpu = 1'000'000'000;                   ///< of a request's handler, and of other tasks between two waits
  std::int64_t job = 60'000'000'000;                  ///< of a job of perigee.run, between two waits
  std::int64_t load = 10'000'000'000;                 ///< of the app's file, and of its start hooks between two waits
  std::int64_t load_left = 10'000'000'000;            ///< of it, once the VMs of other workers were loaded
  const char* load_option = "server.reload_timeout";  ///< what set `load`, for messages
  std::size_t memory = std::size_t{256} << 20;     ///< that a request makes the heap grow by; others between two waits
  std::size_t vm_memory = std::size_t{512} << 20;  ///< that a VM holds before a fresh one takes its place
  std::size_t vm_most = std::size_t{1} << 30;      ///< that it is given at all
};

/// A limit that is written in seconds; 0 sets none.
[[nodiscard]] constexpr std::int64_t nanoseconds_limit(double seconds) {
  return seconds == 0 ? Pulse::kNoLimit : static_cast<std::int64_t>(seconds * 1e9);
}

/// A limit that is written in bytes; 0 sets none.
[[nodiscard]] constexpr std::size_t bytes_limit(double bytes) {
  return bytes == 0 ? kAnyMemory : static_cast<std::size_t>(bytes);
}

}  // namespace perigee::script
