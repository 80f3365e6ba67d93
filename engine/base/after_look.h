#pragma once

#include <atomic>
#include <cstdint>

namespace perigee {

/// Called on a Watchdog's thread whenever it has looked, with the nanoseconds since it looked before. One for the
/// process.
inline std::atomic<void (*)(std::int64_t elapsed_ns) noexcept> after_look{nullptr};

}  // namespace perigee
