// The log, reason phrases, the worker's place, and what the library leaves for the engine.

#include <dlfcn.h>
#include <lua.hpp>

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/crypto.h"
#include "base/log.h"
#include "http/response.h"
#include "script/bind.h"
#include "script/call_counter.h"
#include "script/exchange.h"
#include "script/failure_note.h"
#include "script/origin.h"
#include "script/request_log.h"
#include "script/stack_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// The request that is being served; null outside of any.
const Exchange* exchange_at_work(Vm& vm) {
  const Task* task = vm.current();
  return task != nullptr ? task->exchange : nullptr;
}

LogLevel level_at(lua_State* state, int index) {
  return static_cast<LogLevel>(luaL_checkoption(state, index, nullptr, kLogLevelNames));
}

// log(level, message[, fields as JSON]): one event, with the id of the request that is being served.
int log(lua_State* state) {
  const LogLevel level = level_at(state, 1);
  const std::string_view message = check_text(state, 2);
  if (!log_sink().enabled(level)) {
    return 0;
  }
  const std::string_view fields = lua_isnoneornil(state, 3) ? std::string_view() : check_text(state, 3);
  Vm& vm = Vm::of(state);
  log_for_request(vm, exchange_at_work(vm), level, message, fields);
  return 0;
}

// traceparent() -> the field to send with what is asked of others on behalf of the request that is being served or that
// began the task, with an id of its own, and the request's tracestate; nothing where it belongs to no trace.
int traceparent(lua_State* state) {
  const Task* task = Vm::of(state).current();
  const std::string field = outgoing_trace(task);
  if (field.empty()) {
    return 0;
  }
  lua_pushlstring(state, field.data(), field.size());
  const std::string vendors = outgoing_state(task);
  if (vendors.empty()) {
    return 1;
  }
  lua_pushlstring(state, vendors.data(), vendors.size());
  return 2;
}

// finalizer_failed(text): one has raised an error that is not a stop's, which is told of where it stops the task.
int finalizer_failed(lua_State* state) {
  Vm& vm = Vm::of(state);
  if (vm.governor().stopping()) {
    return 0;
  }
  const std::string_view text = check_text(state, 1);
  const std::string event = "error in a finalizer: " + std::string(text);
  if (vm.attached()) {
    note_failure(vm, nullptr, event);
  }
  log_event(LogLevel::kError, event);
  return 0;
}

// log_enabled(level) -> whether an event of the level would be written.
int log_enabled(lua_State* state) {
  lua_pushboolean(state, log_sink().enabled(level_at(state, 1)) ? 1 : 0);
  return 1;
}

int reason(lua_State* state) {
  const std::string_view phrase = http::reason_phrase(static_cast<int>(luaL_checkinteger(state, 1)));
  lua_pushlstring(state, phrase.data(), phrase.size());
  return 1;
}

// worker() -> number from 1, count, the version of Perigee.
int worker(lua_State* state) {
  const VmSettings& settings = Vm::of(state).settings();
  lua_pushinteger(state, settings.worker_id + 1);
  lua_pushinteger(state, settings.worker_count);
  lua_pushliteral(state, PERIGEE_VERSION);
  return 3;
}

// development() -> whether errors are shown to clients and mistakes looked for.
int development(lua_State* state) {
  lua_pushboolean(state, Vm::of(state).settings().development ? 1 : 0);
  return 1;
}

// first_time(text) -> whether no worker has said this text before; first_time() forgets all. For development only.
int first_time(lua_State* state) {
  constexpr std::size_t kMost = 1000;
  static std::mutex mutex;
  static std::set<std::string, std::less<>> said;
  const std::string_view text = lua_isnoneornil(state, 1) ? std::string_view() : check_text(state, 1);
  bool first = false;
  {
    const std::lock_guard lock(mutex);
    if (text.data() == nullptr) {
      said.clear();
    } else {
      first = said.size() < kMost && said.emplace(text).second;
    }
  }
  lua_pushboolean(state, first ? 1 : 0);
  return 1;
}

// equal(a, b) -> whether two strings are the same, in a time that does not tell where they differ.
int equal(lua_State* state) {
  const std::string_view a = check_text(state, 1);
  const std::string_view b = check_text(state, 2);
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
  }
  lua_pushboolean(state, difference == 0 ? 1 : 0);
  return 1;
}

// keep(name, value): the engine finds the value in the registry.
int keep(lua_State* state) {
  luaL_checkstring(state, 1);
  lua_settop(state, 2);
  lua_pushfstring(state, "perigee.%s", lua_tostring(state, 1));
  lua_insert(state, 2);
  lua_rawset(state, LUA_REGISTRYINDEX);
  return 0;
}

// vm_view() -> the VmView as a light userdata.
int vm_view(lua_State* state) {
  lua_getfield(state, LUA_REGISTRYINDEX, "perigee.vm_view");
  return 1;
}

// sizes() -> of TaskView, RequestView, PathParameter and VmView, as the engine compiled them.
int sizes(lua_State* state) {
  lua_pushinteger(state, sizeof(TaskView));
  lua_pushinteger(state, sizeof(RequestView));
  lua_pushinteger(state, sizeof(http::PathParameter));
  lua_pushinteger(state, sizeof(VmView));
  return 4;
}

// load_library(loadlib, path, symbol) -> what package.loadlib returns. One at a time in the process: a C module's first
// load runs code that expects to be alone.
int load_library(lua_State* state) {
  static std::mutex loading;
  const int arguments = lua_gettop(state) - 1;
  int status = 0;
  {
    const std::lock_guard lock(loading);
    status = lua_pcall(state, arguments, LUA_MULTRET, 0);
  }
  return status == 0 ? lua_gettop(state) : lua_error(state);
}

// The counter of the VM's calls; null where there is none. Its place in the registry is by this address.
char counter_key = 0;

CallCounter* counter_of(lua_State* state) {
  lua_pushlightuserdata(state, &counter_key);
  lua_rawget(state, LUA_REGISTRYINDEX);
  auto* counter = static_cast<CallCounter*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return counter;
}

// begin_counting(): every call is counted from here on.
int begin_counting(lua_State* state) {
  if (counter_of(state) != nullptr) {
    return 0;
  }
  lua_pushlightuserdata(state, &counter_key);
  void* const room = lua_newuserdata(state, sizeof(CallCounter));
  lua_State* const main = Vm::of(state).state();
  new (room) CallCounter(main);
  lua_newtable(state);
  lua_pushcfunction(state, [](lua_State* closing) {
    static_cast<CallCounter*>(lua_touserdata(closing, 1))->~CallCounter();
    return 0;
  });
  lua_setfield(state, -2, "__gc");
  lua_setmetatable(state, -2);
  lua_rawset(state, LUA_REGISTRYINDEX);
  counter_of(state)->begin();
  return 0;
}

// end_counting() -> what was counted, a line for each function; "" where nobody counted.
int end_counting(lua_State* state) {
  CallCounter* const counter = counter_of(state);
  if (counter == nullptr) {
    lua_pushliteral(state, "");
    return 1;
  }
  counter->end();
  const std::string text = counter->text();
  lua_pushlightuserdata(state, &counter_key);
  lua_pushnil(state);
  lua_rawset(state, LUA_REGISTRYINDEX);
  lua_pushlstring(state, text.data(), text.size());
  return 1;
}

}  // namespace

void bind_system(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"log", log},
                                            {"finalizer_failed", finalizer_failed},
                                            {"log_enabled", log_enabled},
                                            {"reason", reason},
                                            {"worker", worker},
                                            {"keep", keep},
                                            {"vm_view", vm_view},
                                            {"sizes", sizes},
                                            {"load_library", load_library},
                                            {"begin_counting", begin_counting},
                                            {"end_counting", end_counting},
                                            {"equal", equal},
                                            {"development", development},
                                            {"first_time", first_time},
                                            {"traceparent", traceparent},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
