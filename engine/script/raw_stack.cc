#include "script/raw_stack.h"

#include <memory>
#include <mutex>

#include "script/safe_read.h"
#include "script/safepoint.h"

namespace perigee::script {

bool RawStack::known_ = false;

struct StackCalibration {
  // Whether a state's stack is where it is expected, with what LuaJIT's interface says that there is.
  static bool is_as_expected(lua_State* looked_at) {
    RawStack::State state{};
    const auto address = [](const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); };
    if (!read_safely(address(looked_at), &state, sizeof state) || state.top - state.base != lua_gettop(looked_at)) {
      return false;
    }
    for (int slot = 1; slot <= lua_gettop(looked_at); ++slot) {
      RawValue value;
      if (!read_safely(address(state.base + slot - 1), &value, sizeof value) || !value.agrees_with(looked_at, slot)) {
        return false;
      }
    }
    return true;
  }

  // Values of each kind.
  static bool is_known_filled(lua_State* state) {
    lua_settop(state, 0);
    bool known = is_as_expected(state);
    lua_pushlstring(state, "a\0b", 3);
    lua_pushnumber(state, -1.5);
    lua_pushboolean(state, 1);
    lua_newtable(state);
    known = known && is_as_expected(state);
    lua_pushnil(state);
    lua_pushcfunction(state, [](lua_State*) { return 0; });
    lua_pushlightuserdata(state, &known);
    known = known && is_as_expected(state);
    lua_settop(state, 2);
    return known && is_as_expected(state);
  }

  // Of a state of its own, of a coroutine that is new, and of one that has returned and one that has yielded.
  static int look(lua_State* state) {
    auto* const known = static_cast<bool*>(lua_touserdata(state, 1));
    lua_State* const coroutine = lua_newthread(state);
    bool all = is_as_expected(state) && is_known_filled(coroutine);
    for (const bool yields : {false, true}) {
      lua_settop(coroutine, 0);
      if (yields) {
        lua_pushcfunction(coroutine, [](lua_State* inner) { return lua_yield(inner, 2); });
      } else {
        lua_pushcfunction(coroutine, [](lua_State*) { return 2; });
      }
      lua_pushinteger(coroutine, 7);
      lua_pushliteral(coroutine, "text");
      all = all && is_as_expected(coroutine) && lua_resume(coroutine, 2) == (yields ? LUA_YIELD : 0) &&
            lua_gettop(coroutine) == 2 && is_as_expected(coroutine);
    }
    *known = all;
    return 0;
  }

  static bool run() {
    const std::unique_ptr<lua_State, decltype(&lua_close)> state(luaL_newstate(), lua_close);
    bool known = false;
    return state != nullptr && Safepoint::is_wanted("stack") && lua_cpcall(state.get(), look, &known) == 0 && known;
  }
};

void RawStack::calibrate() {
  static std::once_flag once;
  std::call_once(once, [] { known_ = StackCalibration::run(); });
}

RawStack::Kept RawStack::kept(lua_State* state, int ref) {
  Kept kept{ref, {}};
  if (known_) {
    lua_rawgeti(state, LUA_REGISTRYINDEX, ref);
    kept.value = RawStack(state).state().top[-1];
    lua_pop(state, 1);
  }
  return kept;
}

}  // namespace perigee::script
