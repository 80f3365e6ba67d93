#include "script/collection_counter.h"

#include <lua.hpp>

namespace perigee::script {
namespace {

// Leaves an object without a reference to it; its metatable is on top of the stack.
void leave_object(lua_State* state) {
  lua_newuserdata(state, 0);
  lua_pushvalue(state, -2);
  lua_setmetatable(state, -2);
  lua_pop(state, 1);
}

// A finalizer; its argument is the object.
int on_collected(lua_State* state) {
  auto* count = static_cast<std::atomic<std::uint64_t>*>(lua_touserdata(state, lua_upvalueindex(1)));
  count->fetch_add(1, std::memory_order_relaxed);
  lua_getmetatable(state, 1);
  leave_object(state);
  return 0;
}

}  // namespace

void count_collections(lua_State* state, std::atomic<std::uint64_t>& count) {
  lua_createtable(state, 0, 1);
  lua_pushlightuserdata(state, &count);
  lua_pushcclosure(state, on_collected, 1);
  lua_setfield(state, -2, "__gc");
  leave_object(state);
  lua_pop(state, 1);
}

}  // namespace perigee::script
