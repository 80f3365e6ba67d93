#include "script/lua_values.h"

#include <lua.hpp>

#include "script/bind.h"

namespace perigee::script {

bool is_marked_array(lua_State* state, int index) {
  if (lua_getmetatable(state, index) == 0) {
    return false;
  }
  lua_pushlightuserdata(state, &RegistryKeys::array);
  lua_rawget(state, LUA_REGISTRYINDEX);
  const bool marked = lua_rawequal(state, -1, -2) != 0;
  lua_pop(state, 2);
  return marked;
}

void mark_array(lua_State* state) {
  lua_pushlightuserdata(state, &RegistryKeys::array);
  lua_rawget(state, LUA_REGISTRYINDEX);
  lua_setmetatable(state, -2);
}

const char* unwritable_kind(lua_State* state, int index) {
  switch (lua_type(state, index)) {
    case LUA_TNIL:
      return "nil";
    case LUA_TFUNCTION:
      return "a function";
    case LUA_TTHREAD:
      return "a coroutine";
    case LUA_TLIGHTUSERDATA:
    case LUA_TUSERDATA:
      return "a userdata";
    default:
      return "a cdata value";
  }
}

bool keep_new_name(lua_State* state) {
  lua_pushvalue(state, -1);
  lua_rawget(state, -3);
  const bool is_new = lua_isnil(state, -1);
  lua_pop(state, is_new ? 1 : 2);
  return is_new;
}

}  // namespace perigee::script
