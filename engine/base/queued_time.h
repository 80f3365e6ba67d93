#pragma once

#include <cstdint>

namespace perigee {

/// How long a thread of this process, by its number in the kernel, has waited for a processor so far, in nanoseconds; 0
/// where the kernel does not say. Any thread.
[[nodiscard]] std::int64_t queued_ns(int thread);

}  // namespace perigee
