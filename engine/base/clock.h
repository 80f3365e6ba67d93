#pragma once

#include <cstdint>
#include <ctime>

namespace perigee {

/// Milliseconds on a clock that never jumps; its zero is arbitrary.
using Milliseconds = std::int64_t;

/// How far this thread's clocks are ahead of the system's: a test that does not want to wait moves its own on.
inline constinit thread_local Milliseconds clock_ahead = 0;

/// What an option gives in seconds, in whole milliseconds.
constexpr Milliseconds milliseconds(double seconds) {
  return static_cast<Milliseconds>(seconds * 1000);
}

/// Monotonic time in milliseconds, read from the kernel's coarse clock (resolution 1 to 4 ms, no system call).
inline Milliseconds monotonic_coarse_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000 + clock_ahead;
}

/// Monotonic time in milliseconds, exact.
inline Milliseconds monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000 + clock_ahead;
}

/// Monotonic time in nanoseconds.
inline std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec + clock_ahead * 1'000'000;
}

/// Seconds since the epoch, with a fraction; may jump with the system's clock.
inline double wall_seconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 +
         static_cast<double>(clock_ahead) * 1e-3;
}

}  // namespace perigee
