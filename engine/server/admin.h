#pragma once

#include <string>

#include "net/socket_address.h"
#include "server/options.h"
#include "server/reloader.h"

namespace perigee::server {

/// The options of the worker that serves the admin port at `address`: the admin app (lua/admin/app.lua), told its token
/// and the names it may be asked by.
[[nodiscard]] Options admin_options(const Options& options, const net::SocketAddress& address);

/// What a reload came to, as the admin app reads it.
[[nodiscard]] std::string reload_json(const ReloadResult& result);

}  // namespace perigee::server
