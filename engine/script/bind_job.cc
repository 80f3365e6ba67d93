// perigee.run: jobs on their way to a background VM, and what that makes of them.

#include <lua.hpp>

#include <new>
#include <string>
#include <string_view>

#include "script/bind.h"
#include "script/job.h"
#include "script/stack_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

Job& check_job(lua_State* state) {
  luaL_checktype(state, 1, LUA_TLIGHTUSERDATA);
  return *static_cast<Job*>(lua_touserdata(state, 1));
}

bool begin_job(Vm& vm, JobDesk& desk, std::string_view module, std::string_view function, std::string_view arguments) {
  auto job = std::make_shared<Job>();
  job->module = module;
  job->function = function;
  job->arguments = arguments;
  job->asker = vm.number();
  Task& task = *vm.current();
  job->ticket = vm.errands().begin(task);
  if (!desk.submit(job, vm)) {
    vm.errands().leave(task);
    return false;
  }
  vm.errands().when_left(task, [&desk, job] { desk.cancel(job); });
  return true;
}

// job_begin(module, function, arguments) -> whether it is on its way; nothing where no jobs are run. The task must wait
// next, and finds the outcome by errand_take().
int job_begin(lua_State* state) {
  const std::string_view module = check_text(state, 1);
  const std::string_view function = check_text(state, 2);
  const std::string_view arguments = check_text(state, 3);
  Vm& vm = Vm::of(state);
  JobDesk* const desk = vm.host().jobs();
  if (desk == nullptr) {
    return 0;
  }
  bool begun = false;
  try {
    begun = begin_job(vm, *desk, module, function, arguments);
  } catch (const std::bad_alloc&) {
    vm.errands().leave(*vm.current());
  }
  lua_pushboolean(state, begun ? 1 : 0);
  return 1;
}

// job_given(job) -> module, function, arguments.
int job_given(lua_State* state) {
  const Job& job = check_job(state);
  lua_pushlstring(state, job.module.data(), job.module.size());
  lua_pushlstring(state, job.function.data(), job.function.size());
  lua_pushlstring(state, job.arguments.data(), job.arguments.size());
  return 3;
}

// job_done(job, outcome)
int job_done(lua_State* state) {
  Job& job = check_job(state);
  const std::string_view outcome = check_text(state, 2);
  bool kept = true;
  try {
    job.outcome = outcome;
  } catch (const std::bad_alloc&) {
    kept = false;
  }
  return kept ? 0 : luaL_error(state, "not enough memory");
}

}  // namespace

void bind_job(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"job_begin", job_begin}, {"job_given", job_given}, {"job_done", job_done}, {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
