#pragma once

#include <string_view>

namespace perigee::script {

/// What is wrong with a pattern of Lua's string.find, in LuaJIT's words; empty where nothing is. LuaJIT itself finds a
/// mistake only once some text leads it there. Any thread.
[[nodiscard]] std::string_view pattern_mistake(std::string_view pattern);

}  // namespace perigee::script
