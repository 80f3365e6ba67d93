#pragma once

#include <cstdint>

namespace perigee {

/// The parts of a request's way through the hallway, in order.
enum class Stage : std::uint8_t { kIdle, kScan, kRoute, kLua, kSerialize, kWrite };

/// What this thread is doing now: a plain record that a signal handler on the same thread may read.
struct Marks {
  std::int32_t worker = -1;
  std::int32_t route = -1;
  Stage stage = Stage::kIdle;
};

inline thread_local Marks marks;

}  // namespace perigee
