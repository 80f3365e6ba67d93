#include "script/raw_stack.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <memory>
#include <string>

using perigee::script::RawStack;

namespace {

using State = std::unique_ptr<lua_State, decltype(&lua_close)>;

State new_state() {
  RawStack::calibrate();
  State state(luaL_newstate(), lua_close);
  luaL_openlibs(state.get());
  return state;
}

void run(lua_State* coroutine, const std::string& source, int expected) {
  REQUIRE(luaL_loadstring(coroutine, source.c_str()) == 0);
  REQUIRE(lua_resume(coroutine, 0) == expected);
}

}  // namespace

TEST_CASE("raw stack: what a coroutine returned is there, by its place and kind") {
  const State state = new_state();
  lua_State* const coroutine = lua_newthread(state.get());
  const RawStack stack(coroutine);
  CHECK(stack.count() == 0);
  run(coroutine, "return 'text\\0more', 7, { 1 }, '', nil, print", 0);
  REQUIRE(stack.count() == 6);
  CHECK(stack.is_string(1));
  CHECK_FALSE(stack.is_table(1));
  CHECK(stack.text(1) == std::string_view("text\0more", 9));
  CHECK_FALSE((stack.is_string(2) || stack.is_table(2)));
  CHECK(stack.is_table(3));
  CHECK(stack.address(3) == lua_topointer(coroutine, 3));
  CHECK(stack.text(4).empty());
  CHECK_FALSE((stack.is_string(5) || stack.is_table(5) || stack.is_string(6) || stack.is_table(6)));
}

TEST_CASE("raw stack: a cleared one is empty, and takes what the registry keeps") {
  const State state = new_state();
  lua_State* const coroutine = lua_newthread(state.get());
  REQUIRE(luaL_loadstring(state.get(), "local a, b = ... return b, a, select('#', ...)") == 0);
  const RawStack::Kept function = RawStack::kept(state.get(), luaL_ref(state.get(), LUA_REGISTRYINDEX));
  lua_pushliteral(state.get(), "kept");
  const RawStack::Kept text = RawStack::kept(state.get(), luaL_ref(state.get(), LUA_REGISTRYINDEX));
  const int top = lua_gettop(state.get());
  RawStack stack(coroutine);
  for (int i = 0; i < 100; ++i) {
    stack.push(function);
    stack.push(text);
    lua_pushinteger(coroutine, i);
    lua_gc(state.get(), LUA_GCCOLLECT, 0);
    REQUIRE(lua_resume(coroutine, 2) == 0);
    REQUIRE(stack.count() == 3);
    CHECK(lua_tointeger(coroutine, 1) == i);
    CHECK(stack.text(2) == "kept");
    CHECK(lua_tointeger(coroutine, 3) == 2);
    stack.clear();
    CHECK(lua_gettop(coroutine) == 0);
  }
  CHECK(lua_gettop(state.get()) == top);
}

TEST_CASE("raw stack: what a coroutine yielded is there, and goes when it is cleared") {
  const State state = new_state();
  lua_State* const coroutine = lua_newthread(state.get());
  RawStack stack(coroutine);
  run(coroutine, "local a = 'kept' for i = 1, 3 do a = a .. coroutine.yield(i, 'step') end return a", LUA_YIELD);
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(stack.count() == 2);
    CHECK(stack.text(2) == "step");
    stack.clear();
    lua_pushinteger(coroutine, i);
    REQUIRE(lua_resume(coroutine, 1) == (i < 3 ? LUA_YIELD : 0));
  }
  REQUIRE(stack.count() == 1);
  CHECK(stack.text(1) == "kept123");
}
