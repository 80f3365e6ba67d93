#pragma once

#include <string_view>

struct lua_State;

namespace perigee::script {

// What several readers and writers of Lua values need. Calls that push may raise when Lua runs out of memory.

/// Whether perigee.array or perigee.decode marked the table at `index`. Raises nothing.
[[nodiscard]] bool is_marked_array(lua_State* state, int index);

/// Marks the table on top of the stack.
void mark_array(lua_State* state);

/// What to call the value at `index`, of a type that can't be written: "a function". Raises nothing.
[[nodiscard]] const char* unwritable_kind(lua_State* state, int index);

/// Whether the name on top of the stack is new to the table below it. Takes the name away when it is not: of equal
/// names the first counts.
[[nodiscard]] bool keep_new_name(lua_State* state);

}  // namespace perigee::script
