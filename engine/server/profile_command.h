#pragma once

#include <string>
#include <string_view>

#include "server/command_line.h"

namespace perigee::server {

/// `perigee profile`: has a running server record, and prints a table or writes a file. Returns the process's exit
/// code.
[[nodiscard]] int run_profile(const CommandLine& command);

/// What to ask the admin port for, so as to write a file of that name: "*.html" a flame graph, "*.folded" and "*.txt"
/// folded stacks, others pprof; without a name a table. `seconds` as it goes into the query.
[[nodiscard]] std::string profile_target(const std::string& kind, const std::string& file, const std::string& seconds,
                                         int hertz);

/// Whether a file of that name is to hold folded stacks.
[[nodiscard]] bool is_folded_name(std::string_view file);

}  // namespace perigee::server
