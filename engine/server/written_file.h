#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::server {

/// Writes a file whole, over one that is there. The error: "x.txt can't be written: Permission denied".
[[nodiscard]] Result<> write_file(const std::string& path, std::string_view text);

}  // namespace perigee::server
