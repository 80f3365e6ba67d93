#pragma once

#include <cstdint>

#include "base/clock.h"

namespace perigee {

/// Time on the finest clock that can be read in a few instructions; its zero and its unit are the processor's own.
using Ticks = std::uint64_t;

/// Whether the processor's counter runs at one rate on every core, whatever they do (CPUID 8000_0007h, invariant TSC).
extern const bool kSteadyCounter;

/// Now. Where the processor has no steady counter, nanoseconds of the kernel's monotonic clock.
inline Ticks ticks() noexcept {
#if defined(__x86_64__)
  if (kSteadyCounter) [[likely]] {
    return __builtin_ia32_rdtsc();  // the header that names it reads all of the processor's vector instructions
  }
#endif
  return static_cast<Ticks>(monotonic_ns());
}

/// From `begin` to `end`; 0 where another core's counter, read later, was behind.
inline Ticks ticks_between(Ticks begin, Ticks end) noexcept {
  return end > begin ? end - begin : 0;
}

/// How long a tick is. Measured once, against the kernel's clock, and the same from then on; the first call may wait
/// for some milliseconds. Any thread.
[[nodiscard]] double seconds_per_tick();

}  // namespace perigee
