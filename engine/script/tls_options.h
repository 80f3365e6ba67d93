#pragma once

#include "client/socket.h"

struct lua_State;

namespace perigee::script {

/// What the table at `index` says of TLS: server_name, verify, alpn (a list), ca_file, cert_file, key_file. Of what has
/// been checked in Lua; raises nothing but the want of memory.
[[nodiscard]] client::Socket::Security tls_options(lua_State* state, int index);

}  // namespace perigee::script
