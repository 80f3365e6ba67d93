#pragma once

#include <string>

struct lua_State;

namespace perigee::script {

class Vm;

/// `message`, and under it what the suspended or dead `coroutine` runs, innermost first; only `message` where there is
/// no memory for more.
[[nodiscard]] std::string traceback_of(Vm& vm, lua_State* coroutine, const char* message);

}  // namespace perigee::script
