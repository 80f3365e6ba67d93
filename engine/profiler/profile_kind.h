#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace perigee::profiler {

/// What a recording is of.
enum class ProfileKind : std::uint8_t {
  kCpu,    ///< what threads spend their own CPU time on
  kAlloc,  ///< what scripts allocate
  kWait,   ///< what tasks wait for, without holding anybody up
  kBlock   ///< where scripts hold up their thread
};

inline constexpr std::array kProfileKinds = {ProfileKind::kCpu, ProfileKind::kAlloc, ProfileKind::kWait,
                                             ProfileKind::kBlock};

/// "cpu", "alloc", "wait", "block".
[[nodiscard]] std::string_view word_of(ProfileKind kind);

}  // namespace perigee::profiler
