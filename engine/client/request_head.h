#pragma once

#include <string>

#include "client/http_call.h"

namespace perigee::client {

/// Appends the head of a request, from the request line to the empty line: what the peer's requests have in common,
/// what this one says, and what frames its body (RFC 9112 section 3).
void append_head(std::string& output, const HttpCall::Request& request);

}  // namespace perigee::client
