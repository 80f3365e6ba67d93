#pragma once

#include <lua.hpp>

#include <cstdint>
#include <string>

#include "script/exchange.h"
#include "script/stack_text.h"
#include "script/vm.h"

namespace perigee::script {

/// What a handler returned, on its way to an Answer. Raises Lua errors, which unwind through C++ frames: their
/// destructors run.
struct Normalizer {
  lua_State* state;
  Vm& vm;
  Task& task;
  Answer& answer;

  [[nodiscard]] std::string place() const {
    const std::int32_t route = task.exchange->view.route;
    return route < 0 ? "a hook" : "the handler at " + vm.routes()[static_cast<std::size_t>(route)].place;
  }

  /// Raises, naming the handler.
  void refuse(const std::string& what) const {
    lua_pushfstring(state, "%s %s", place().c_str(), what.c_str());
    lua_error(state);
  }
};

/// Pushes a field of the table at `index`, whatever its metatable says.
inline void raw_field(lua_State* state, int index, const char* name) {
  lua_pushstring(state, name);
  lua_rawget(state, index);
}

}  // namespace perigee::script
