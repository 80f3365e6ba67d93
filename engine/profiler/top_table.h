#pragma once

#include <cstddef>
#include <string>

#include "profiler/profile.h"

namespace perigee::profiler {

/// A profile as a table for a terminal: for each function line where something was spent itself, most first, its own
/// share, that with all it called, its name and place; at most `rows` of them, and a line that says what the rest comes
/// to. Then the comments, a line each. Nothing recorded is said so. `type` counts the profile's types from 0. REQUIRES:
/// `type` below types().size().
[[nodiscard]] std::string write_top_table(const Profile& profile, std::size_t type, std::size_t rows);

/// A value in its unit, for people: "1.50 s", "12.0 ms", "3.4 MiB", "17".
[[nodiscard]] std::string amount_text(std::int64_t value, const std::string& unit);

}  // namespace perigee::profiler
