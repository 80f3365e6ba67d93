#pragma once

#include <string_view>

namespace perigee::http {

/// The Content-Type of a file by its name's last extension, in any case; with "charset=utf-8" for text. A name without
/// a known one is "application/octet-stream".
[[nodiscard]] std::string_view file_type(std::string_view name);

}  // namespace perigee::http
