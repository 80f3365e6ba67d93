#pragma once

#include <ctime>
#include <string>

#include "base/result.h"
#include "server/reloader.h"

namespace perigee::server {

/// Asks the server whose admin port is at `address` for a reload and waits for the outcome, up to two minutes. A
/// broken configuration or app is an outcome with mistakes; not reaching the server is an error.
[[nodiscard]] Result<ReloadResult> request_reload(const std::string& address, const std::string& token);

/// What the server whose admin port is at `address` answers a GET of `target` with, if that is a 200; waits for as many
/// seconds at most.
[[nodiscard]] Result<std::string> request_text(const std::string& address, const std::string& token,
                                               const std::string& target, time_t patience);

/// Asks the server whose admin port is at `address` whether it serves, and waits five seconds at most. The error says
/// why it does not, or that nobody answers.
[[nodiscard]] Result<> request_health(const std::string& address);

}  // namespace perigee::server
