#pragma once

#include <string>
#include <string_view>

struct lua_State;

namespace perigee::script {

/// What is known of a JSON text before it is read.
struct JsonShape {
  int max_depth = 64;
  int members = 0;  ///< how many the outermost object is likely to have
};

/// Reads JSON (RFC 8259, strictly: no comments, no trailing commas, UTF-8 only) and leaves the value on the stack: null
/// as perigee.null, arrays marked so that an empty one is written as [] again, of equal keys the last.
/// False: nothing is pushed and `error` says what is wrong and at which byte. Raises when Lua runs out of memory.
[[nodiscard]] bool decode_json(lua_State* state, std::string_view text, const JsonShape& shape, std::string& error);

}  // namespace perigee::script
