#pragma once

#include <cstddef>

namespace perigee::script {

inline constexpr std::size_t kMostDigits = 32;  ///< bytes that a number takes at most

/// Writes a number with an integral value within 2^53 as an integer, others with the fewest digits that read back the
/// same. Returns the end; null where JSON has no such number. REQUIRES: room for kMostDigits.
[[nodiscard]] char* write_json_number(char* to, double value);

}  // namespace perigee::script
