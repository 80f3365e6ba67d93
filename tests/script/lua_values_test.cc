#include "script/lua_values.h"

#include <lua.hpp>

#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace {

struct State {
  std::unique_ptr<lua_State, decltype(&lua_close)> owner{luaL_newstate(), &lua_close};
  lua_State* state = owner.get();
  State() { luaL_openlibs(state); }
};

}  // namespace

TEST_CASE("lua values: what can't be written has a name") {
  const auto [code, kind] = GENERATE(table<std::string, std::string>({
      {"nil", "nil"},
      {"print", "a function"},
      {"coroutine.create(print)", "a coroutine"},
      {"io.stdout", "a userdata"},
      {"require('ffi').new('int[1]')", "a cdata value"},
  }));
  const State lua;
  REQUIRE(luaL_dostring(lua.state, ("return " + code).c_str()) == 0);
  CHECK(perigee::script::unwritable_kind(lua.state, -1) == kind);
}

TEST_CASE("lua values: of equal names the first is kept") {
  const State lua;
  lua_newtable(lua.state);
  lua_pushstring(lua.state, "a");
  REQUIRE(perigee::script::keep_new_name(lua.state));
  lua_pushinteger(lua.state, 1);
  lua_rawset(lua.state, -3);
  lua_pushstring(lua.state, "a");
  CHECK_FALSE(perigee::script::keep_new_name(lua.state));
  CHECK(lua_gettop(lua.state) == 1);
  lua_pushstring(lua.state, "b");
  CHECK(perigee::script::keep_new_name(lua.state));
  CHECK(lua_gettop(lua.state) == 2);
}
