// Tasks: starting, waking and cancelling them, and the clock.

#include <lua.hpp>

#include <utility>

#include "base/clock.h"
#include "base/thread_stack.h"
#include "profiler/wait_sites.h"
#include "script/bind.h"
#include "script/origin.h"
#include "script/vm.h"
#include "script/waiting.h"

namespace perigee::script {
namespace {

// The task a TaskView (as a light userdata) belongs to.
Task& task_of(lua_State* state, int index) {
  auto* view = static_cast<TaskView*>(lua_touserdata(state, index));
  luaL_argcheck(state, view != nullptr, index, "a task");
  return *view->owner;
}

// spawn(fn, ...) -> the new task's view as a light userdata, its serial. It starts at the end of the worker's turn.
int spawn(lua_State* state) {
  Vm& vm = Vm::of(state);
  auto origin = origin_for(vm.current());
  Task& task = vm.take_task();
  task.purpose = Task::Purpose::kSpawned;
  task.origin = std::move(origin);
  lua_xmove(state, task.coroutine, lua_gettop(state));
  task.waiting = true;
  vm.make_ready(task);
  lua_pushlightuserdata(state, &task.view);
  lua_pushnumber(state, task.view.serial);
  return 2;
}

// wake(view, serial): a waiting task goes on; one that has become another does not notice.
int wake(lua_State* state) {
  Task& task = task_of(state, 1);
  if (task.view.serial == lua_tonumber(state, 2)) {
    task.vm.make_ready(task);
  }
  return 0;
}

// cancel(view, serial): the task's waits raise from now on.
int cancel(lua_State* state) {
  Task& task = task_of(state, 1);
  if (task.view.serial == lua_tonumber(state, 2)) {
    task.vm.cancel(task, CancelReason::kRequested);
  }
  return 0;
}

// current() -> the running task's view as a light userdata, its serial; nothing while the app is loaded.
int current(lua_State* state) {
  Task* task = Vm::of(state).current();
  if (task == nullptr) {
    return 0;
  }
  lua_pushlightuserdata(state, &task->view);
  lua_pushnumber(state, task->view.serial);
  return 2;
}

// cancelled() -> the reason why the running task is; nothing where it is not.
int cancelled(lua_State* state) {
  const Task* const task = Vm::of(state).current();
  if (task == nullptr || task->view.cancelled == 0) {
    return 0;
  }
  lua_pushinteger(state, task->view.cancelled);
  return 1;
}

// pardon() -> where the running task was stopped by a limit, with the traceback; nil where it was not. What it does
// from here on is under its limits anew.
int pardon(lua_State* state) {
  Vm& vm = Vm::of(state);
  if (vm.current() == nullptr || vm.stopped() != vm.current()->view.serial) {
    return 0;
  }
  const std::string where = vm.governor().pardon(*vm.current());
  if (where.empty()) {
    return 0;
  }
  lua_pushlstring(state, where.data(), where.size());
  return 1;
}

// refused() -> where memory was refused to the running task and why; nil where it was not.
int refused(lua_State* state) {
  char text[256] = "";
  {
    const std::string refusal = Vm::of(state).governor().take_refusal();
    refusal.copy(text, sizeof text - 1);
  }
  if (text[0] == '\0') {
    return 0;
  }
  lua_pushstring(state, text);
  return 1;
}

// stack_is_low() -> whether one more coroutine inside the running ones might need more of the C stack than is left.
int stack_is_low(lua_State* state) {
  lua_pushboolean(state, perigee::stack_is_low(kLuaStack) ? 1 : 0);
  return 1;
}

// operate(name): begins an operation of the server; the task must wait next, and finds its result by result().
int operate(lua_State* state) {
  Vm& vm = Vm::of(state);
  std::size_t size = 0;
  const char* name = luaL_checklstring(state, 1, &size);
  if (vm.current() == nullptr || !vm.host().begin_operation(*vm.current(), {name, size})) {
    return luaL_error(state, "the server has no operation '%s' here", name);
  }
  return 0;
}

int result(lua_State* state) {
  const std::string& text = Vm::of(state).current()->result;
  lua_pushlstring(state, text.data(), text.size());
  return 1;
}

// wait_site(operation, peer) -> the number of what is waited for.
int wait_site(lua_State* state) {
  std::size_t operation = 0;
  std::size_t peer = 0;
  const char* const what = luaL_checklstring(state, 1, &operation);
  const char* const whom = luaL_checklstring(state, 2, &peer);
  lua_pushinteger(state, static_cast<lua_Integer>(profiler::wait_site({what, operation}, {whom, peer})));
  return 1;
}

// wait(site): the running task waits until it is woken. What it says is the reason of a task that is cancelled, else
// nothing; where nothing can wait, at once: true outside of any task, false where a C function calls back.
int wait(lua_State* state) {
  const Vm& vm = Vm::of(state);
  if (can_wait(state, vm)) {
    return wait_for(state, vm, static_cast<std::int32_t>(lua_tointeger(state, 1)));
  }
  const Task* const task = vm.current();
  if (task != nullptr && task->raises()) {
    lua_pushinteger(state, task->view.cancelled);
  } else {
    lua_pushboolean(state, task == nullptr ? 1 : 0);
  }
  return 1;
}

// errand_take() -> what another thread has done for the running task; nothing while it is not there.
int errand_take(lua_State* state) {
  Vm& vm = Vm::of(state);
  const auto result = vm.errands().take(*vm.current());
  if (!result) {
    return 0;
  }
  lua_pushlstring(state, result->data(), result->size());
  return 1;
}

// errand_leave(): the running task waits for it no longer.
int errand_leave(lua_State* state) {
  Vm& vm = Vm::of(state);
  vm.errands().leave(*vm.current());
  return 0;
}

int now(lua_State* state) {
  lua_pushnumber(state, wall_seconds());
  return 1;
}

int monotonic(lua_State* state) {
  lua_pushnumber(state, static_cast<double>(monotonic_ns()) * 1e-9);
  return 1;
}

}  // namespace

void bind_task(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"spawn", spawn},
                                            {"wake", wake},
                                            {"cancel", cancel},
                                            {"current", current},
                                            {"operate", operate},
                                            {"result", result},
                                            {"now", now},
                                            {"monotonic", monotonic},
                                            {"stack_is_low", stack_is_low},
                                            {"pardon", pardon},
                                            {"cancelled", cancelled},
                                            {"wait_site", wait_site},
                                            {"wait", wait},
                                            {"refused", refused},
                                            {"errand_take", errand_take},
                                            {"errand_leave", errand_leave},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  lua_pushlightuserdata(state, &RegistryKeys::wait);
  lua_setfield(state, -2, "wait_mark");
}

}  // namespace perigee::script
