#include "script/collection_counter.h"

#include <lua.hpp>

namespace perigee::script {

void CollectionCounter::begin(lua_State* state) {
  memory_.watch(lua_newuserdata(state, LuaAllocator::kLargest));  // with its header it is a large one
  lua_pop(state, 1);
}

}  // namespace perigee::script
