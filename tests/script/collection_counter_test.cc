#include "script/collection_counter.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <memory>

using namespace perigee::script;

TEST_CASE("collection counter: each full round is seen, and the end of the VM does no harm") {
  LuaAllocator memory;
  const std::unique_ptr<lua_State, void (*)(lua_State*)> state(lua_newstate(LuaAllocator::allocate, &memory),
                                                               &lua_close);
  CollectionCounter counter(memory);
  CHECK(counter.has_ended());
  int rounds = 0;
  for (int i = 0; i < 10; ++i) {
    counter.begin(state.get());
    CHECK(lua_gettop(state.get()) == 0);
    CHECK_FALSE(counter.has_ended());
    lua_gc(state.get(), LUA_GCCOLLECT, 0);
    rounds += counter.has_ended() ? 1 : 0;
  }
  CHECK(rounds >= 9);
  counter.begin(state.get());
}

TEST_CASE("collection counter: other large blocks that come and go are none of it") {
  LuaAllocator memory;
  const std::unique_ptr<lua_State, void (*)(lua_State*)> state(lua_newstate(LuaAllocator::allocate, &memory),
                                                               &lua_close);
  CollectionCounter counter(memory);
  counter.begin(state.get());
  lua_gc(state.get(), LUA_GCSTOP, 0);
  void* block = nullptr;
  for (std::size_t size = 600; size < 100'000; size += 600) {
    block = LuaAllocator::allocate(&memory, block, size - 600, size);
  }
  LuaAllocator::allocate(&memory, block, 99'600, 0);
  CHECK_FALSE(counter.has_ended());
}
