#include "script/raw_value.h"

#include <lua.hpp>

#include "script/safe_read.h"

namespace perigee::script {

static_assert(sizeof(RawValue) == 8 && sizeof(RawString) == 24);

bool RawValue::agrees_with(lua_State* state, int index) const {
  const int found = is_nil() + is_true() + is_false() + is_string() + is_table() + is_number();
  switch (lua_type(state, index)) {
    case LUA_TNIL:
      return found == 1 && is_nil();
    case LUA_TBOOLEAN:
      return found == 1 && (lua_toboolean(state, index) != 0 ? is_true() : is_false());
    case LUA_TNUMBER:
      return found == 1 && is_number() && number() == lua_tonumber(state, index);
    case LUA_TTABLE:
      return found == 1 && is_table() && address() == lua_topointer(state, index);
    case LUA_TSTRING: {
      std::size_t size = 0;
      const char* const data = lua_tolstring(state, index, &size);
      RawString string{};
      return found == 1 && is_string() && address() == data - sizeof string &&
             read_safely(reinterpret_cast<std::uint64_t>(address()), &string, sizeof string) && string.size == size;
    }
    default:
      return found == 0;
  }
}

}  // namespace perigee::script
