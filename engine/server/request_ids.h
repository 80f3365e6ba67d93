#pragma once

#include <cstdint>
#include <string>

namespace perigee::server {

/// The id of request number `request` on worker `worker`: 20 hex digits, unique in the process, and between processes
/// as far as a random 32-bit start makes it.
[[nodiscard]] std::string request_id_text(int worker, double request);

}  // namespace perigee::server
