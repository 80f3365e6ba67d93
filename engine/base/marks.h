#pragma once

#include <cstdint>

namespace perigee {

/// The parts of a request's way through the hallway, in order.
enum class Stage : std::uint8_t { kIdle, kScan, kRoute, kLua, kSerialize, kWrite };

/// What this thread is doing now: a plain record that a signal handler on the same thread may read.
struct Marks {
  std::int32_t worker = -1;
  std::int32_t route = -1;                ///< its number in the version of the app that serves it
  const std::int32_t* numbers = nullptr;  ///< by that, what it is counted under in every version; null: not known
  Stage stage = Stage::kIdle;
};

inline thread_local constinit Marks marks;

}  // namespace perigee
