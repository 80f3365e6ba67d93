#pragma once

#include <string>
#include <string_view>

namespace perigee::server {

/// Prints what is wrong, to standard error.
void print_mistake(const std::string& text);

/// Writes a file that a command was asked for, over one that is there. False, once it has been said, where it can't be
/// written.
[[nodiscard]] bool write_output(const std::string& path, std::string_view text);

}  // namespace perigee::server
