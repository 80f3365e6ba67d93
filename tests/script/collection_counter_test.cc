#include "script/collection_counter.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <memory>

TEST_CASE("collection counter: each full round counts, and the end of the VM does no harm") {
  std::atomic<std::uint64_t> count{0};
  {
    const std::unique_ptr<lua_State, void (*)(lua_State*)> state(luaL_newstate(), &lua_close);
    perigee::script::count_collections(state.get(), count);
    CHECK(lua_gettop(state.get()) == 0);
    for (int i = 0; i < 10; ++i) {
      lua_gc(state.get(), LUA_GCCOLLECT, 0);
    }
    CHECK(count >= 9);
    CHECK(count <= 11);
  }
}
