#include "script/dispatcher.h"

#include <lua.hpp>

#include <new>

#include "base/log.h"
#include "http/problem.h"
#include "http/response.h"
#include "script/bind.h"
#include "script/failure_note.h"
#include "script/plain_answer.h"

namespace perigee::script {
namespace {

// Whether a suspended coroutine yielded to wait, and not by a stray coroutine.yield.
bool waits(lua_State* coroutine) {
  return lua_gettop(coroutine) == 1 && lua_touserdata(coroutine, 1) == &RegistryKeys::wait;
}

}  // namespace

int Dispatcher::lua_top(const Task& task) {
  return lua_gettop(task.coroutine);
}

Dispatcher::Outcome Dispatcher::call(Exchange& exchange, std::int32_t route) {
  Task& task = begin_task(exchange);
  exchange.view.route = route;
  const RouteInfo& info = vm_.routes()[static_cast<std::size_t>(route)];
  task.cpu_limit = task.cpu_left = info.cpu_limit;
  RawStack stack(task.coroutine);
  stack.push(info.handler);
  stack.push(task.view_pointer);
  const Vm::Status status = vm_.resume(task, 1);
  if (status == Vm::Status::kReturned && is_ready(task)) [[likely]] {
    return Outcome::kAnswered;
  }
  return settle(task, status);
}

Dispatcher::Outcome Dispatcher::refuse(Exchange& exchange, const Refusal& refusal) {
  Task& task = begin_task(exchange);
  task.default_status = refusal.status;
  lua_State* coroutine = task.coroutine;
  // Strings are made inside the coroutine, where running out of memory can be caught: core.refusal reads this.
  lua_rawgeti(coroutine, LUA_REGISTRYINDEX, vm_.entries().refuse);
  RawStack(coroutine).push(task.view_pointer);
  lua_pushlightuserdata(coroutine, const_cast<Refusal*>(&refusal));
  return settle(task, vm_.resume(task, 2));
}

void Dispatcher::answer_problem(Exchange& exchange, int status, std::string_view detail,
                                const std::string& request_id) {
  exchange.answer.reset();
  exchange.answer.status = status;
  exchange.answer.text = http::problem_json(status, detail, request_id);
  exchange.answer.content_type = http::kProblemType;
  exchange.answer.body = exchange.answer.text;
}

Dispatcher::Outcome Dispatcher::resume(Task& task) {
  task.ready = false;
  if (lua_status(task.coroutine) != LUA_YIELD) {
    return settle(task, vm_.resume(task, lua_gettop(task.coroutine) - 1));
  }
  const bool raises = task.raises();
  if (raises) {
    lua_pushinteger(task.coroutine, task.view.cancelled);
  }
  return settle(task, vm_.resume(task, raises ? 1 : 0));
}

Dispatcher::Outcome Dispatcher::stream(Exchange& exchange) {
  Task& task = *exchange.task;
  task.phase = Task::Phase::kStream;
  task.cpu_left = task.cpu_limit;
  // The stack holds the function, left there by `answer`.
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().stream);
  lua_insert(task.coroutine, 1);
  RawStack(task.coroutine).push(task.view_pointer);
  return settle(task, vm_.resume(task, 2));
}

Dispatcher::Outcome Dispatcher::settle(Task& task, Vm::Status status) {
  Outcome outcome = Outcome::kWaiting;
  // Each step either ends in an outcome or resumes the task once more, which gives the next status.
  for (;;) {
    switch (status) {
      case Vm::Status::kReturned:
        outcome = returned(task, status);
        break;
      case Vm::Status::kFailed:
        outcome = failed(task, status);
        break;
      case Vm::Status::kYielded:
        if (waits(task.coroutine)) {
          lua_settop(task.coroutine, 0);
          task.waiting = true;
          if (task.view.again != 0 || task.raises()) {
            task.view.again = 0;
            vm_.make_ready(task);
          }
          return Outcome::kWaiting;
        }
        lua_settop(task.coroutine, 0);
        lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().stray_yield);
        status = Vm::Status::kFailed;
        continue;
    }
    if (outcome != Outcome::kWaiting) {
      return outcome;
    }
  }
}

// Whether what a request's task returned is an answer as it stands, and nothing is to be done before it is sent.
bool Dispatcher::is_ready(Task& task) {
  return task.view.session == 0 && !vm_.has_after() && take_plain_answer(vm_, task);
}

Dispatcher::Outcome Dispatcher::returned(Task& task, Vm::Status& status) {
  if (task.purpose == Task::Purpose::kSpawned) {
    return end_spawned(task, "");
  }
  if (task.view.session != 0) {  // before the answer, and after what came behind it
    status = resume_save(task);
    return Outcome::kWaiting;
  }
  switch (task.phase) {
    case Task::Phase::kHandler:
    case Task::Phase::kFailure:
    case Task::Phase::kErrorHook:
      if (is_ready(task)) {
        return Outcome::kAnswered;
      }
      if (task.exchange->answer.kind != Answer::Kind::kWhole) {  // perigee_static() answered
        return Outcome::kAnswered;
      }
      status = resume_answer(task);
      return Outcome::kWaiting;
    case Task::Phase::kAnswer:
      return answered(task, status);
    case Task::Phase::kStream:
      return Outcome::kStreamed;
    case Task::Phase::kSave:
      return Outcome::kBroken;
    case Task::Phase::kAfter:
      break;
  }
  end_task(task, "");
  return Outcome::kDone;
}

// Writes the request's session, in the phase that the task is in; what it returned is on its stack again after it.
Vm::Status Dispatcher::resume_save(Task& task) {
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().save);
  lua_insert(task.coroutine, 1);
  RawStack(task.coroutine).push(task.view_pointer);
  lua_insert(task.coroutine, 2);
  return vm_.resume(task, lua_gettop(task.coroutine) - 1);
}

Vm::Status Dispatcher::resume_answer(Task& task) {
  task.phase = Task::Phase::kAnswer;
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().answer);
  lua_insert(task.coroutine, 1);
  return vm_.resume(task, lua_gettop(task.coroutine) - 1);
}

// `answer` (bind_answer.cc) returned: true and what anchors the body; or false and a problem for the app's error hook.
Dispatcher::Outcome Dispatcher::answered(Task& task, Vm::Status& status) {
  lua_State* coroutine = task.coroutine;
  if (lua_toboolean(coroutine, 1) != 0) {
    lua_remove(coroutine, 1);
    return Outcome::kAnswered;
  }
  task.answering_error = true;
  task.default_status = task.exchange->answer.status;
  task.phase = Task::Phase::kErrorHook;
  lua_rawgeti(coroutine, LUA_REGISTRYINDEX, vm_.entries().render);
  lua_replace(coroutine, 1);
  RawStack(coroutine).push(task.view_pointer);
  status = vm_.resume(task, 2);
  return Outcome::kWaiting;
}

Dispatcher::Outcome Dispatcher::end_spawned(Task& task, const std::string& error) {
  auto on_end = std::move(task.on_end);
  task.on_end = nullptr;
  end_task(task, error);
  if (on_end) {
    on_end(error);
  } else if (!error.empty()) {
    note_failure(vm_, nullptr, error);
    log_event(LogLevel::kError, "uncaught error in a spawned task: " + error);
  }
  return Outcome::kDone;
}

Dispatcher::Outcome Dispatcher::finish_by_hooks(Task& task) {
  if (!vm_.has_after() || task.coroutine == nullptr) {
    end_task(task, "");
    return Outcome::kDone;
  }
  lua_settop(task.coroutine, 0);
  task.view.cancelled = 0;
  task.phase = Task::Phase::kAfter;
  task.cpu_left = task.cpu_limit;
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().after);
  RawStack(task.coroutine).push(task.view_pointer);
  return settle(task, vm_.resume(task, 1));
}

// What the task deferred runs in a task of its own, which the turn's end begins: a function may defer another without
// end. There may be no memory for that one.
void Dispatcher::end_task(Task& task, const std::string& error) try {
  const bool deferred = task.view.deferred != 0;
  const bool cancelled = task.view.cancelled != 0;
  const double serial = task.view.serial;
  const std::int32_t number = task.view.number;
  vm_.give_task(task);
  if (!deferred) {
    return;
  }
  Task& last = vm_.take_task();
  last.purpose = Task::Purpose::kSpawned;
  last.result = error;
  lua_rawgeti(last.coroutine, LUA_REGISTRYINDEX, vm_.entries().run_deferred);
  lua_pushnumber(last.coroutine, serial);
  lua_pushboolean(last.coroutine, cancelled ? 1 : 0);
  lua_pushinteger(last.coroutine, number);
  last.waiting = true;
  vm_.make_ready(last);
} catch (const std::bad_alloc&) {
  log_event(LogLevel::kError, "out of memory: what a task has deferred does not run");
}

void Dispatcher::run_hooks(const char* name, std::function<void(const std::string& error)> on_end) {
  Task& task = vm_.take_task();
  task.purpose = Task::Purpose::kSpawned;
  task.on_end = std::move(on_end);
  task.cpu_limit = task.cpu_left = vm_.settings().limits.load;
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().hook);
  lua_pushboolean(task.coroutine, std::string_view(name) == "start" ? 1 : 0);
  run_spawned(task);
}

void Dispatcher::run_job(Job& job, std::function<void(const std::string& error)> on_end) {
  Task& task = vm_.take_task();
  task.purpose = Task::Purpose::kSpawned;
  task.on_end = std::move(on_end);
  task.cpu_limit = task.cpu_left = vm_.settings().limits.job;
  job.task = &task;
  job.serial = task.view.serial;
  lua_rawgeti(task.coroutine, LUA_REGISTRYINDEX, vm_.entries().job);
  lua_pushlightuserdata(task.coroutine, &job);
  run_spawned(task);
}

}  // namespace perigee::script
