#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::server {

/// Fills in `${NAME}` from the environment and `${file:PATH}` from a file of at most 1 MiB, without the newline at its
/// end; `$${` stands for `${`. What was filled in is not looked at again. The error shows names and paths, no values.
[[nodiscard]] Result<std::string> expand(std::string_view text);

/// The bytes of a file of at most `limit` bytes. The error is a reason without the path: "No such file or directory".
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace perigee::server
