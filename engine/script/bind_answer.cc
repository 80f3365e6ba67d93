// Turns what a handler returned into an Answer. Runs inside the handler's coroutine, so that whatever it raises becomes
// a 500 with a traceback.

#include <lua.hpp>

#include <cstring>
#include <string>
#include <utility>

#include "http/field_syntax.h"
#include "http/problem.h"
#include "http/response.h"
#include "script/answer_fields.h"
#include "script/bind.h"
#include "script/exchange.h"
#include "script/json_encoder.h"
#include "script/json_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

constexpr std::string_view kJson = "application/json";

struct Normalizer {
  lua_State* state;
  Vm& vm;
  Task& task;
  Answer& answer;

  [[nodiscard]] std::string place() const {
    const std::int32_t route = task.exchange->view.route;
    return route < 0 ? "a hook" : "the handler at " + vm.routes()[static_cast<std::size_t>(route)].place;
  }

  // Raises, naming the handler.
  void refuse(const std::string& what) const {
    lua_pushfstring(state, "%s %s", place().c_str(), what.c_str());
    lua_error(state);  // unwinds through C++ frames: their destructors run
  }
};

void raw_field(lua_State* state, int index, const char* name) {
  lua_pushstring(state, name);
  lua_rawget(state, index);
}

std::string_view string_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  return {text, text != nullptr ? size : 0};
}

// Adds one header line out of the value on top of the stack.
void add_value(const Normalizer& self, std::string_view name) {
  const int type = lua_type(self.state, -1);
  const std::string quoted = "'" + std::string(name) + "'";
  if (type != LUA_TSTRING && type != LUA_TNUMBER) {
    self.refuse("returned a header " + quoted + " that is a " + lua_typename(self.state, type));
  }
  lua_pushvalue(self.state, -1);  // a number becomes a string on a copy
  switch (add_field(self.answer, name, string_at(self.state, -1))) {
    case FieldVerdict::kAdded:
      break;
    case FieldVerdict::kBadName:
      self.refuse("returned a header whose name is no token of RFC 9110");
      break;
    case FieldVerdict::kReserved:
      self.refuse("returned a header " + quoted + ", which the server sets itself");
      break;
    case FieldVerdict::kBadValue:
      self.refuse("returned a header " + quoted + " whose value holds CR, LF, NUL or another control byte");
      break;
  }
  lua_pop(self.state, 1);
}

// Adds the header on top of the stack (name below value): a string, a number, or a list of them.
void add_header(const Normalizer& self) {
  lua_State* state = self.state;
  if (lua_type(state, -2) != LUA_TSTRING) {
    self.refuse("returned headers with a name that is no string");
  }
  const std::string_view name = string_at(state, -2);
  if (!lua_istable(state, -1)) {
    add_value(self, name);
    return;
  }
  const auto count = static_cast<int>(lua_objlen(state, -1));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, i);
    add_value(self, name);
    lua_pop(state, 1);
  }
}

void add_headers(const Normalizer& self, int index) {
  if (lua_isnil(self.state, index)) {
    return;
  }
  if (!lua_istable(self.state, index)) {
    self.refuse(std::string("returned headers that are a ") + luaL_typename(self.state, index) + ", not a table");
  }
  lua_pushnil(self.state);
  while (lua_next(self.state, index) != 0) {
    add_header(self);
    lua_pop(self.state, 1);
  }
}

// Whether the headers at `index`, if there are any, have one of that name, in any case.
bool has_header(lua_State* state, int index, std::string_view name) {
  if (!lua_istable(state, index)) {
    return false;
  }
  lua_pushnil(state);
  while (lua_next(state, index) != 0) {
    lua_pop(state, 1);
    if (lua_type(state, -1) == LUA_TSTRING && http::equal_fold(string_at(state, -1), name)) {
      lua_pop(state, 1);
      return true;
    }
  }
  return false;
}

// The headers of a response value, but for those that were returned beside it.
void add_inner_headers(const Normalizer& self, int inner, int outer) {
  lua_State* state = self.state;
  if (!lua_istable(state, inner)) {
    return;
  }
  lua_pushnil(state);
  while (lua_next(state, inner) != 0) {
    if (lua_type(state, -2) != LUA_TSTRING || !has_header(state, outer, string_at(state, -2))) {
      add_header(self);
    }
    lua_pop(state, 1);
  }
}

void set_status(const Normalizer& self, int index) {
  const double status = lua_tonumber(self.state, index);
  if (status < 200 || status > 599 || status != static_cast<int>(status)) {
    self.refuse("returned a status that is no integer from 200 to 599");
  }
  self.answer.status = static_cast<int>(status);
}

void encode_body(const Normalizer& self, int index) {
  std::string& out = self.vm.scratch();
  JsonEncoder::clear(out);
  std::string error;
  {
    JsonEncoder encoder(self.state, out, self.vm.settings().json_depth);
    if (!encoder.encode(index)) {
      error = encoder.error();
    }
  }
  if (!error.empty()) {
    self.refuse("returned a table that is no JSON: " + error);
  }
  self.answer.body = out;
}

void default_type(const Normalizer& self, std::string_view type) {
  if (self.answer.content_type.empty()) {
    self.answer.content_type = type;
  }
}

// A body as a handler may return it: a string or a table; nil means none.
void plain_body(const Normalizer& self, int index) {
  switch (lua_type(self.state, index)) {
    case LUA_TNIL:
      return;
    case LUA_TSTRING:
      self.answer.body = string_at(self.state, index);
      default_type(self, http::kPlainText);
      return;
    case LUA_TTABLE:
      encode_body(self, index);
      default_type(self, kJson);
      return;
    default:
      self.refuse(std::string("returned a ") + luaL_typename(self.state, index) + " as a body");
  }
}

// A problem's document says the status that is sent, and the standard title of it where it had that of its own.
void settle_problem(const Normalizer& self, int response) {
  lua_State* state = self.state;
  raw_field(state, response, "body");
  const int document = lua_gettop(state);
  raw_field(state, document, "status");
  const int status = static_cast<int>(lua_tonumber(state, -1));
  if (status == self.answer.status) {
    return;
  }
  raw_field(state, document, "title");
  if (lua_type(state, -1) == LUA_TSTRING && string_at(state, -1) == http::reason_phrase(status)) {
    const std::string_view title = http::reason_phrase(self.answer.status);
    lua_pushliteral(state, "title");
    lua_pushlstring(state, title.data(), title.size());
    lua_rawset(state, document);
  }
  lua_pushliteral(state, "status");
  lua_pushinteger(state, self.answer.status);
  lua_rawset(state, document);
}

// A problem's document names the request, and the app may want to render it.
void problem_body(const Normalizer& self, int response) {
  lua_State* state = self.state;
  settle_problem(self, response);
  raw_field(state, response, "body");
  const int document = lua_gettop(state);
  const std::string id = self.vm.host().request_id(*self.task.exchange);
  lua_pushliteral(state, "request_id");
  lua_pushlstring(state, id.data(), id.size());
  lua_rawset(state, document);
  encode_body(self, document);
  default_type(self, http::kProblemType);
}

bool is_kind(lua_State* state, int response, std::string_view kind) {
  raw_field(state, response, "kind");
  const bool same = string_at(state, -1) == kind;
  lua_pop(state, 1);
  return same;
}

// Whether it is a problem whose body is still a document.
bool is_problem(lua_State* state, int index) {
  if (!is_response(state, index) || !is_kind(state, index, "problem")) {
    return false;
  }
  raw_field(state, index, "body");
  const bool document = lua_istable(state, -1);
  lua_pop(state, 1);
  return document;
}

// Whether the app's error hook has seen a problem already: within middleware (lua/perigee/failures.lua).
bool is_rendered(lua_State* state, int response) {
  raw_field(state, response, "rendered");
  const bool rendered = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return rendered;
}

bool is_redirect(lua_State* state, int response) {
  return is_kind(state, response, "redirect");
}

// What app:channel's function returned (lua/perigee/channels.lua has looked at it).
void take_channel(const Normalizer& self, int response) {
  lua_State* state = self.state;
  auto channel = std::make_unique<ChannelAnswer>();
  raw_field(state, response, "body");
  const int body = lua_gettop(state);
  raw_field(state, body, "key");
  channel->member.key = string_at(state, -1);
  raw_field(state, body, "data");
  channel->member.data = string_at(state, -1);
  raw_field(state, body, "topics");
  const int topics = lua_gettop(state);
  const auto count = static_cast<int>(lua_objlen(state, topics));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state, topics, i);
    channel->topics.emplace_back(string_at(state, -1));
    lua_pop(state, 1);
  }
  self.answer.channel = std::move(channel);
  self.answer.kind = Answer::Kind::kChannel;
}

// A response value: what perigee.text and its siblings made.
void response_body(const Normalizer& self, int response, bool has_status) {
  lua_State* state = self.state;
  if (!has_status) {
    raw_field(state, response, "status");
    if (!lua_isnil(state, -1)) {
      set_status(self, lua_gettop(state));
    } else if (is_redirect(state, response)) {
      const http::Method method = self.task.exchange->head.method;
      const bool safe = method == http::Method::kGet || method == http::Method::kHead;
      self.answer.status = safe ? 307 : 303;
    }
  }
  if (is_kind(state, response, "file")) {
    return;  // take_file() has seen to it
  }
  if (is_kind(state, response, "channel")) {
    take_channel(self, response);
  }
  raw_field(state, response, "type");
  if (!lua_isnil(state, -1) && self.answer.content_type.empty()) {
    const std::string_view type = string_at(state, -1);
    if (!http::is_field_value(type)) {
      self.refuse("returned a content type that holds CR, LF, NUL or another control byte");
    }
    self.answer.type_text.assign(type);
    self.answer.content_type = self.answer.type_text;
  }
  raw_field(state, response, "kind");
  const std::string_view kind = string_at(state, -1);
  if (is_problem(state, response)) {
    problem_body(self, response);
    return;
  }
  raw_field(state, response, "body");
  if (kind == "channel") {
    return;
  }
  if (kind == "stream") {
    self.answer.kind = Answer::Kind::kStream;
    default_type(self, "application/octet-stream");
  } else if (kind == "json") {
    encode_body(self, lua_gettop(state));
    default_type(self, kJson);
  } else {
    plain_body(self, lua_gettop(state));
  }
}

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
  const std::string lines = std::exchange(answer.fields, {});
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
