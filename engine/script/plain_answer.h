#pragma once

#include "script/vm.h"

namespace perigee::script {

/// Takes what most handlers return, text or a table that is JSON, with or without status and headers, without entering
/// Lua again. Raises nothing. False, with the stack and the answer as they were: `answer` (bind_answer.cc) is to look
/// at the values, and tells what is wrong with them. REQUIRES: the task's coroutine has returned.
[[nodiscard]] bool take_plain_answer(Vm& vm, Task& task);

}  // namespace perigee::script
