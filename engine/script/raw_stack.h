#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string_view>

#include "script/raw_value.h"

namespace perigee::script {

/// The stack of a coroutine that does not run: what LuaJIT's interface does with it, in a fourth of the instructions,
/// where its memory is what LuaJIT 2.1 with 64-bit references has; by the interface where it is not. Slots count
/// from 1.
class RawStack {
 public:
  /// A value that the registry keeps under `ref`. It may be pushed on any coroutine of its VM.
  struct Kept {
    int ref = LUA_NOREF;
    RawValue value;
  };

  /// Readies the process; the first call does. Any thread. PERIGEE_UNKNOWN_LUAJIT calls it "stack".
  static void calibrate();

  /// What the registry keeps under `ref`. REQUIRES: room for one more value on the state's stack.
  [[nodiscard]] static Kept kept(lua_State* state, int ref);

  explicit RawStack(lua_State* coroutine) : coroutine_(coroutine) {}

  [[nodiscard]] int count() const {
    return known_ ? static_cast<int>(state().top - state().base) : lua_gettop(coroutine_);
  }

  /// REQUIRES: a value in the slot.
  [[nodiscard]] bool is_string(int slot) const {
    return known_ ? state().base[slot - 1].is_string() : lua_type(coroutine_, slot) == LUA_TSTRING;
  }
  [[nodiscard]] bool is_table(int slot) const {
    return known_ ? state().base[slot - 1].is_table() : lua_type(coroutine_, slot) == LUA_TTABLE;
  }

  /// REQUIRES: a string in the slot.
  [[nodiscard]] std::string_view text(int slot) const {
    if (known_) {
      return state().base[slot - 1].string().view();
    }
    std::size_t size = 0;
    const char* const data = lua_tolstring(coroutine_, slot, &size);
    return {data, size};
  }

  /// Where the table, or what else is collected as garbage, in the slot lies.
  [[nodiscard]] const void* address(int slot) const {
    return known_ ? state().base[slot - 1].address() : lua_topointer(coroutine_, slot);
  }

  /// REQUIRES: room, of which there is LUA_MINSTACK on a stack that is empty.
  void push(const Kept& kept) {
    if (known_) {
      *state().top++ = kept.value;
    } else {
      lua_rawgeti(coroutine_, LUA_REGISTRYINDEX, kept.ref);
    }
  }

  void clear() {
    if (known_) {
      state().top = state().base;
    } else {
      lua_settop(coroutine_, 0);
    }
  }

 private:
  friend struct StackCalibration;

  struct State {
    std::uint64_t next;
    std::uint32_t kind, unused;
    std::uint64_t shared, list;
    RawValue* base;
    RawValue* top;
  };

  [[nodiscard]] State& state() const { return *reinterpret_cast<State*>(coroutine_); }

  static bool known_;

  lua_State* coroutine_;
};

}  // namespace perigee::script
