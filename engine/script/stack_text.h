#pragma once

#include <lua.hpp>

#include <cstddef>
#include <string_view>

namespace perigee::script {

// Strings on Lua's stack, which live as long as they are there. A number becomes a string in its place.

/// The string at `index`. Raises an argument error where there is none.
[[nodiscard]] inline std::string_view check_text(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

/// The string at `index`, empty where there is none.
[[nodiscard]] inline std::string_view string_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  return {text, text != nullptr ? size : 0};
}

}  // namespace perigee::script
