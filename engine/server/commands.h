#pragma once

#include "server/command_line.h"

namespace perigee::server {

// The commands, each returning the process's exit code and printing what it has to say.
[[nodiscard]] int run_serve(const CommandLine& command);
[[nodiscard]] int run_check(const CommandLine& command);
[[nodiscard]] int run_reload(const CommandLine& command);
[[nodiscard]] int run_health(const CommandLine& command);
[[nodiscard]] int run_routes(const CommandLine& command);
[[nodiscard]] int run_bench(const CommandLine& command);
[[nodiscard]] int run_test(const CommandLine& command);
[[nodiscard]] int run_new(const CommandLine& command);
[[nodiscard]] int run_version();

}  // namespace perigee::server
