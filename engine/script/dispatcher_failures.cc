// What becomes of tasks whose function raised, was stopped, or found no memory.

#include <lua.hpp>

#include <new>

#include "base/log.h"
#include "script/bind.h"
#include "script/dispatcher.h"
#include "script/failure_note.h"
#include "script/request_log.h"
#include "script/traceback.h"

namespace perigee::script {
namespace {

// The error on top of a dead coroutine's stack, with its traceback.
std::string error_with_traceback(Vm& vm, lua_State* coroutine) {
  const char* message = lua_type(coroutine, -1) == LUA_TSTRING ? lua_tostring(coroutine, -1) : nullptr;
  return traceback_of(vm, coroutine, message != nullptr ? message : "an error that is no string");
}

// Whether the app's error hook has been asked already, or the answer is on its way.
bool is_past_hooks(const Task& task) {
  return task.phase == Task::Phase::kStream || task.phase == Task::Phase::kSave || task.phase == Task::Phase::kAfter ||
         task.phase == Task::Phase::kFailure || task.answering_error;
}

}  // namespace

Dispatcher::Outcome Dispatcher::failed(Task& task, Vm::Status& status) {
  if (task.purpose == Task::Purpose::kSpawned) {
    return spawned_failed(task);
  }
  const bool starved = vm_.take_starved();
  return starved || is_past_hooks(task) ? end_failed(task, status, starved) : answer_failed(task, status);
}

Dispatcher::Outcome Dispatcher::spawned_failed(Task& task) {
  std::string error = vm_.governor().pardon(task);
  if (error.empty()) {
    error = error_with_traceback(vm_, task.coroutine);
  }
  if (vm_.take_starved()) {
    vm_.reclaim(task);
  }
  try {
    vm_.renew_coroutine(task);
  } catch (const std::bad_alloc&) {  // it has none then: the next who takes it gets one
  }
  task.view.deferred = 1;  // who waits for it must be told
  return end_spawned(task, error);
}

// A traceback would want memory.
std::string Dispatcher::starved_text(const Task& task) const {
  const std::int32_t route = task.exchange->view.route;
  return "not enough memory" +
         (route < 0 ? "" : " for the handler at " + vm_.routes()[static_cast<std::size_t>(route)].place);
}

// Logs and counts the failure, unless the task was only cancelled. True when it was stopped by one of its limits.
bool Dispatcher::tell_failure(Task& task, bool starved) {
  const std::string refusal = vm_.governor().take_refusal();
  const bool stopped = is_stop(task.view.cancelled) || !refusal.empty();
  const std::string pardoned = vm_.governor().pardon(task);
  const std::string& where = pardoned.empty() ? refusal : pardoned;
  if (task.view.cancelled == 0 || starved || !where.empty()) {
    const std::string text = !where.empty() ? where
                             : starved      ? starved_text(task)
                                            : error_with_traceback(vm_, task.coroutine);
    note_failure(vm_, &task, text);
    log_for_request(vm_, task.exchange, LogLevel::kError, text);
  }
  return stopped;
}

// Without Lua's help: there is nobody left to ask, or no memory to ask with.
Dispatcher::Outcome Dispatcher::end_failed(Task& task, Vm::Status& status, bool starved) {
  const bool stopped = tell_failure(task, starved);
  if (starved) {
    vm_.reclaim(task);
  }
  vm_.renew_coroutine(task);
  if (task.phase == Task::Phase::kAfter) {
    end_task(task, "");
    return Outcome::kDone;
  }
  if (task.phase == Task::Phase::kStream && task.view.session != 0 && !starved) {
    task.phase = Task::Phase::kSave;
    status = resume_save(task);
    return Outcome::kWaiting;
  }
  if (task.phase == Task::Phase::kStream || task.phase == Task::Phase::kSave) {
    return Outcome::kBroken;
  }
  fail_natively(task, stopped ? 503 : 500);
  return Outcome::kAnswered;
}

// The error (and for its traceback the dead coroutine) moves to a fresh one, and is the answer or is asked about; both
// stay referenced on its stack.
Dispatcher::Outcome Dispatcher::answer_failed(Task& task, Vm::Status& status) {
  task.exchange->answer.reset();  // what was filled before it failed
  lua_State* dead = task.coroutine;
  lua_State* state = vm_.state();
  lua_pushthread(dead);
  lua_xmove(dead, state, 2);
  vm_.renew_coroutine(task);
  lua_xmove(state, task.coroutine, 2);
  if (is_response(task.coroutine, 1)) {  // error(perigee.problem(...)) answers that problem
    lua_pop(task.coroutine, 1);
    status = task.view.session != 0 ? resume_save(task) : resume_answer(task);
    return Outcome::kWaiting;
  }
  task.phase = Task::Phase::kFailure;
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().failed);
  lua_insert(task.coroutine, 1);
  RawStack(task.coroutine).push(task.view_pointer);
  status = vm_.resume(task, 3);
  return Outcome::kWaiting;
}

void Dispatcher::fail_natively(Task& task, int otherwise) {
  Exchange& exchange = *task.exchange;
  const int status = task.answering_error && task.default_status >= 400 ? task.default_status : otherwise;
  answer_problem(exchange, status, status == 503 ? "the handler was over one of its limits" : "",
                 vm_.host().request_id(exchange));
}

}  // namespace perigee::script
