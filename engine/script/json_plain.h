#pragma once

#include <string_view>

struct lua_State;

namespace perigee::script {

struct JsonShape;

/// Reads a JSON text that has nothing unusual in it, and leaves the value on the stack as decode_json() does, in half
/// of its steps. False, with nothing pushed: only decode_json() knows, which reads everything and says what is wrong.
/// Raises when Lua runs out of memory.
[[nodiscard]] bool decode_plain_json(lua_State* state, std::string_view text, const JsonShape& shape);

}  // namespace perigee::script
