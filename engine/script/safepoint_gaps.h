#pragma once

#include <string>
#include <vector>

#include "script/safepoint.h"

namespace perigee::script {

/// What goes without, in words, with a LuaJIT in which not every part was found: for the error log, one sentence for
/// each part that is unknown, which names it and what follows for profiles and limits.
[[nodiscard]] std::vector<std::string> gap_warnings(const Safepoint::Known& known);

/// Likewise for whoever reads a profile: only what concerns profiles.
[[nodiscard]] std::vector<std::string> gap_remarks(const Safepoint::Known& known);

}  // namespace perigee::script
