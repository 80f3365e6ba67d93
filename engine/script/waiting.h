#pragma once

#include <cstdint>

struct lua_State;

namespace perigee::script {

class Task;
class Vm;

/// Whether what runs in `state` can wait: it is a task, and no C function calls back.
[[nodiscard]] bool can_wait(lua_State* state, const Vm& vm);

/// Suspends the running task, which waits for what `site` numbers. To be returned by the function that Lua called; that
/// returns the reason of a task that is cancelled, else nothing. REQUIRES: can_wait().
[[nodiscard]] int wait_for(lua_State* state, const Vm& vm, std::int32_t site);

}  // namespace perigee::script
