// Failures on their way to the log and to the error desk.

#include <lua.hpp>

#include <string>
#include <string_view>

#include "profiler/error_report.h"
#include "profiler/shown_text.h"
#include "script/bind.h"
#include "script/failure_note.h"
#include "script/request_log.h"
#include "script/stack_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// uncaught(prefix, text[, fields as JSON]): an error that nobody caught, with its traceback: one event in the log,
// where `prefix` stands before it, and one more at the error desk.
int uncaught(lua_State* state) {
  const std::string_view prefix = check_text(state, 1);
  const std::string_view text = check_text(state, 2);
  const std::string_view fields = lua_isnoneornil(state, 3) ? std::string_view() : check_text(state, 3);
  Vm& vm = Vm::of(state);
  const Task* task = vm.current();
  note_failure(vm, task, text);
  log_for_request(vm, task != nullptr ? task->exchange : nullptr, LogLevel::kError, std::string(prefix).append(text),
                  fields);
  return 0;
}

// note_failure(host, error): a call to another server failed.
int note(lua_State* state) {
  const std::string_view host = check_text(state, 1);
  const std::string_view error = check_text(state, 2);
  Vm& vm = Vm::of(state);
  note_failure(vm, vm.current(), error, host);
  return 0;
}

// errors() -> what the error desk has collected, as JSON.
int errors(lua_State* state) {
  const std::string json = profiler::errors_json(Vm::of(state).host().errors());
  lua_pushlstring(state, json.data(), json.size());
  return 1;
}

// shown(text) -> the text as a line may show it: nothing in it drives a terminal.
int shown(lua_State* state) {
  const std::string text = profiler::shown_text(check_text(state, 1));
  lua_pushlstring(state, text.data(), text.size());
  return 1;
}

}  // namespace

void bind_errors(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"uncaught", uncaught}, {"note_failure", note}, {"errors", errors}, {"shown", shown}, {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
