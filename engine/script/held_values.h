#pragma once

#include <lua.hpp>

#include <algorithm>

#include "script/lua_values.h"

// The values of a JSON container that wait on Lua's stack for its table to be made, in the right size: one that grows
// costs several times as much. Calls may raise when Lua runs out of memory.
namespace perigee::script::held_values {

inline constexpr int kMost = 16;  ///< of one container: then its table is made, with room for as many more

[[nodiscard]] inline int room_for(int count) {
  return count == kMost ? 2 * kMost : count;
}

/// Puts so many names, each with its value behind it, from slot `first` to the top, into a table, which takes their
/// place. `likely`: members that the object will have.
inline void make_object(lua_State* state, int first, int count, int likely) {
  lua_createtable(state, 0, std::max(room_for(count), likely));
  const int table = first + 2 * count;
  for (int at = first; at < table; at += 2) {  // of members of the same name the last one counts
    lua_pushvalue(state, at);
    lua_pushvalue(state, at + 1);
    lua_rawset(state, table);
  }
  if (count != 0) {
    lua_replace(state, first);
    lua_settop(state, first);
  }
}

/// Likewise so many values, into an array.
inline void make_array(lua_State* state, int first, int count) {
  lua_createtable(state, room_for(count), 0);
  mark_array(state);
  lua_insert(state, first);
  for (int at = count; at > 0; --at) {
    lua_rawseti(state, first, at);
  }
}

}  // namespace perigee::script::held_values
