#pragma once

#include <optional>
#include <string>

#include "server/command_line.h"
#include "server/config_loader.h"
#include "server/options.h"

namespace perigee::server {

/// The configuration a command names; the default path may be missing, one that was given may not. Without a value its
/// mistakes are printed.
[[nodiscard]] std::optional<Options> load_command_options(CommandLine& command, Checks checks = Checks::kValues);

}  // namespace perigee::server
