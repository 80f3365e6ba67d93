#pragma once

#include <cstddef>
#include <string>

#include "profiler/profile.h"

namespace perigee::profiler {

/// A frame as one word of a folded stack: "name file:line", or the name alone; semicolons and controls in it become
/// "_".
[[nodiscard]] std::string folded_name(const Frame& frame);

/// Folded stacks, as flamegraph.pl and speedscope read them: for each stack a line of its frames, the outermost first,
/// joined by ";", then a blank and the value of type number `type`, counted from 0. The text of the label "worker"
/// comes before the frames, if there is one. REQUIRES: `type` below types().size().
[[nodiscard]] std::string write_folded(const Profile& profile, std::size_t type);

}  // namespace perigee::profiler
