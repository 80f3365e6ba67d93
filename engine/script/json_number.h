#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace perigee::script {

inline constexpr std::size_t kMostDigits = 32;  ///< bytes that a number takes at most

/// Writes a number with an integral value within 2^53 as an integer, others with the fewest digits that read back the
/// same. Returns the end; null where JSON has no such number. REQUIRES: room for kMostDigits.
[[nodiscard]] inline char* write_json_number(char* to, double value) {
  constexpr double kExactLimit = 9007199254740992.0;  // 2^53
  if (value >= -kExactLimit && value <= kExactLimit) {
    if (const auto whole = static_cast<std::int64_t>(value); static_cast<double>(whole) == value) {
      return std::to_chars(to, to + kMostDigits, whole).ptr;
    }
  } else if (!std::isfinite(value)) {
    return nullptr;
  }
  return std::to_chars(to, to + kMostDigits, value).ptr;
}

}  // namespace perigee::script
