#pragma once

#include <cstddef>
#include <string>

#include "profiler/profile.h"

namespace perigee::profiler {

/// The stacks merged from their outermost frames on, as the flame graph's page wants them: JSON
/// `{"type", "unit", "total", "duration", "comments", "root": {"name", "value", "children": [...]}}`. A child has
/// "name", "kind", "value" (its own and all below it) and, where known, "file" and "line"; children stand by name.
/// `duration` is in nanoseconds, `type` counts the profile's types from 0. REQUIRES: `type` below types().size().
[[nodiscard]] std::string write_flame_tree(const Profile& profile, std::size_t type);

}  // namespace perigee::profiler
