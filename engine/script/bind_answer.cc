// Turns what a handler returned into an Answer. Runs inside the handler's coroutine, so that whatever it raises becomes
// a 500 with a traceback.

#include <lua.hpp>

#include <string>
#include <utility>

#include "script/answer_bodies.h"
#include "script/answer_headers.h"
#include "script/bind.h"
#include "script/exchange.h"
#include "script/json_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// Leaves a standard problem of the status in slot `index`.
void push_standard_problem(lua_State* state, int status, int index) {
  lua_getfield(state, LUA_REGISTRYINDEX, "perigee.standard_problem");
  lua_pushinteger(state, status);
  lua_call(state, 1, 1);
  lua_replace(state, index);
}

// The app's after hooks are shown what was returned.
void keep_result(const Normalizer& self, int body, int headers) {
  lua_State* state = self.state;
  lua_getfield(state, LUA_REGISTRYINDEX, "perigee.keep_result");
  lua_pushnumber(state, self.task.view.serial);
  lua_pushinteger(state, self.answer.status);
  lua_pushvalue(state, body);
  lua_pushvalue(state, headers);
  lua_call(state, 4, 0);
}

// Slots of the values once they are sorted out.
constexpr int kBody = 1;
constexpr int kHeaders = 2;

// Adds the lines of a file's answer, but for those that the app returned itself.
void add_file_lines(const Normalizer& self, std::string_view lines, int inner, int outer) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n") + 2;
    const std::string_view name = lines.substr(0, lines.find(':'));
    if (!has_header(self.state, outer, name) && !has_header(self.state, inner, name)) {
      self.answer.fields.append(lines.substr(0, end));
    }
    lines.remove_prefix(end);
  }
}

// Gives the problem in slot `response` the header that a refused range needs.
void add_problem_headers(lua_State* state, int response, std::string_view lines) {
  if (lines.empty()) {
    return;
  }
  const std::size_t colon = lines.find(": ");
  raw_field(state, response, "headers");
  lua_pushlstring(state, lines.data(), colon);
  lua_pushlstring(state, lines.data() + colon + 2, lines.find("\r\n") - colon - 2);
  lua_rawset(state, -3);
}

// A file. A status of the app's own is kept, whatever the request asks for. Where the request's conditions fail, a
// standard problem takes the file's place in slot `response`; false then.
bool take_file(const Normalizer& self, int response, bool has_status) {
  lua_State* state = self.state;
  const int top = lua_gettop(state);
  raw_field(state, response, "headers");
  raw_field(state, response, "body");
  Answer& answer = self.answer;
  const bool taken = answer_with_file(state, top + 2, *self.task.exchange, has_status && answer.status != 200);
  const std::string lines(answer.fields.view());
  answer.fields.clear();
  if (taken) {
    add_file_lines(self, lines, top + 1, kHeaders);
  } else {
    push_standard_problem(state, answer.status, response);
    add_problem_headers(state, response, lines);
  }
  lua_settop(state, top);
  return taken;
}

// Brings `body`, `status, body[, headers]` or nothing into body and headers; returns whether a status was given.
bool sort_values(const Normalizer& self) {
  lua_State* state = self.state;
  lua_settop(state, 4);
  if (lua_type(state, 1) != LUA_TNUMBER) {
    if (lua_isnil(state, 1) && !lua_isnil(state, 2)) {  // nil, err
      lua_settop(state, 2);
      lua_error(state);
    }
    if (!lua_isnil(state, 2)) {
      self.refuse(std::string("returned a ") + luaL_typename(state, 1) + " and then a " + luaL_typename(state, 2) +
                  ": a status comes first, `return status, body, headers`");
    }
    const bool nothing = lua_isnil(state, 1);
    self.answer.status = nothing ? 204 : self.task.default_status;
    lua_settop(state, 2);
    return nothing;
  }
  set_status(self, 1);
  const bool alone = lua_isnil(state, 2) && lua_isnil(state, 3);
  lua_remove(state, 1);
  lua_settop(state, 2);
  if (alone && self.answer.status >= 400) {
    push_standard_problem(state, self.answer.status, kBody);
  }
  return true;
}

// answer(...) -> true, anchor...; or false, problem: the app's error hook is to render it.
int answer(lua_State* state) {
  Vm& vm = Vm::of(state);
  Task& task = *vm.current();
  const Normalizer self{state, vm, task, task.exchange->answer};
  self.answer.reset();
  bool has_status = sort_values(self);
  const bool is_file = is_response(state, kBody) && is_kind(state, kBody, "file");
  if (is_file && !take_file(self, kBody, has_status)) {
    has_status = true;
  }
  if (vm.has_error_hook() && !task.answering_error && is_problem(state, kBody) && !is_rendered(state, kBody)) {
    raw_field(state, kBody, "status");
    if (!has_status) {
      set_status(self, lua_gettop(state));
    }
    settle_problem(self, kBody);
    lua_pushboolean(state, 0);
    lua_pushvalue(state, kBody);
    return 2;
  }
  if (is_response(state, kBody)) {
    const std::string own_type(self.answer.content_type);  // of several ranges: no other fits
    add_headers(self, kHeaders);
    raw_field(state, kBody, "headers");
    add_inner_headers(self, lua_gettop(state), kHeaders);
    if (own_type.starts_with("multipart/byteranges")) {
      self.answer.type_text = own_type;
      self.answer.content_type = self.answer.type_text;
    }
    response_body(self, kBody, has_status);
  } else {
    add_headers(self, kHeaders);
    plain_body(self, kBody);
  }
  if (vm.has_after()) {
    keep_result(self, kBody, kHeaders);
  }
  lua_pushboolean(state, 1);
  if (self.answer.kind == Answer::Kind::kStream) {
    raw_field(state, kBody, "body");  // the function that writes
  } else {
    lua_pushvalue(state, kBody);
  }
  return 2;
}

}  // namespace

bool is_response(lua_State* state, int index) {
  if (!lua_istable(state, index) || lua_getmetatable(state, index) == 0) {
    return false;
  }
  lua_pushlightuserdata(state, &RegistryKeys::response);
  lua_rawget(state, LUA_REGISTRYINDEX);
  const bool same = lua_rawequal(state, -1, -2) != 0;
  lua_pop(state, 2);
  return same;
}

void bind_answer(lua_State* state) {
  lua_pushcfunction(state, answer);
  lua_setfield(state, -2, "answer");
  lua_newtable(state);  // the metatable of response values
  lua_pushlightuserdata(state, &RegistryKeys::response);
  lua_pushvalue(state, -2);
  lua_rawset(state, LUA_REGISTRYINDEX);
  lua_setfield(state, -2, "response_mark");
}

}  // namespace perigee::script
