#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace perigee::profiler {

/// Bytes of a message that its signature is made of; what follows is left out.
inline constexpr std::size_t kMostSignature = 300;

/// Writes to `out` what errors of one kind have in common: the first line of `message` with "#" for each number,
/// address, UUID and other word that looks like an id, and with '*' for quoted text. The line numbers of Lua files
/// stay: "app.lua:12: no user 'ada' (7 of 31 at 10.0.0.1:5432)" becomes "app.lua:12: no user '*' (# of # at #)".
void strip_error(std::string_view message, std::string& out);

}  // namespace perigee::profiler
