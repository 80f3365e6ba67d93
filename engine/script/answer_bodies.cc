#include "script/answer_bodies.h"

#include <memory>
#include <string>
#include <utility>

#include "http/field_syntax.h"
#include "http/problem.h"
#include "http/response.h"
#include "script/bind.h"
#include "script/json_encoder.h"

namespace perigee::script {
namespace {

void encode_body(const Normalizer& self, int index) {
  ByteBuffer& out = self.vm.scratch();
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
  self.answer.body = out.readable();
}

void default_type(const Normalizer& self, std::string_view type) {
  if (self.answer.content_type.empty()) {
    self.answer.content_type = type;
  }
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

}  // namespace

void set_status(const Normalizer& self, int index) {
  const double status = lua_tonumber(self.state, index);
  if (status < 200 || status > 599 || status != static_cast<int>(status)) {
    self.refuse("returned a status that is no integer from 200 to 599");
  }
  self.answer.status = static_cast<int>(status);
}

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
      default_type(self, http::kJsonType);
      return;
    default:
      self.refuse(std::string("returned a ") + luaL_typename(self.state, index) + " as a body");
  }
}

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

bool is_kind(lua_State* state, int response, std::string_view kind) {
  raw_field(state, response, "kind");
  const bool same = string_at(state, -1) == kind;
  lua_pop(state, 1);
  return same;
}

bool is_problem(lua_State* state, int index) {
  if (!is_response(state, index) || !is_kind(state, index, "problem")) {
    return false;
  }
  raw_field(state, index, "body");
  const bool document = lua_istable(state, -1);
  lua_pop(state, 1);
  return document;
}

bool is_rendered(lua_State* state, int response) {
  raw_field(state, response, "rendered");
  const bool rendered = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return rendered;
}

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
    default_type(self, http::kJsonType);
  } else {
    plain_body(self, lua_gettop(state));
  }
}

}  // namespace perigee::script
