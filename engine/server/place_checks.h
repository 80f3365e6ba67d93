#pragma once

#include <vector>

#include "server/option_checks.h"
#include "server/options.h"

namespace perigee::server {

/// Every fault that `serve` would find only when it starts: users and groups that do not exist, log files that whoever
/// asks could not open, a session file that the server's user could not. Opens and makes nothing. Any thread.
[[nodiscard]] std::vector<OptionFault> check_places(const Options& options);

}  // namespace perigee::server
