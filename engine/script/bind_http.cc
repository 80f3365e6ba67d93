// perigee.http: one call is a userdata. What waits returns nothing, and is asked again when the task was woken.

#include <lua.hpp>

#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "client/http_call.h"
#include "client/network.h"
#include "http/client_url.h"
#include "http/url.h"
#include "script/bind.h"
#include "script/failure_note.h"
#include "script/http_request.h"
#include "script/task_waker.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

using client::HttpCall;
using http::ResponseReader;

constexpr const char* kCall = "perigee.HttpCall";

std::string_view text_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  return {text != nullptr ? text : "", size};
}

void push(lua_State* state, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
}

// nil, the error and, of what only the program can cause, true.
int refuse(lua_State* state, const HttpRefusal& refusal) {
  lua_pushnil(state);
  push(state, refusal.message);
  lua_pushboolean(state, refusal.raises ? 1 : 0);
  return 3;
}

int close_call(lua_State* state) {
  static_cast<HttpCall*>(lua_touserdata(state, 1))->~HttpCall();
  return 0;
}

HttpCall& call_at(lua_State* state) {
  return *static_cast<HttpCall*>(luaL_checkudata(state, 1, kCall));
}

// Pushes the call, which is under way.
int begin_call(lua_State* state, client::Network& network, HttpRequest request) {
  if (!request) {
    return refuse(state, request.error());
  }
  auto* call = new (lua_newuserdata(state, sizeof(HttpCall))) HttpCall(network, *std::move(request));
  if (luaL_newmetatable(state, kCall) != 0) {
    lua_pushcfunction(state, close_call);
    lua_setfield(state, -2, "__gc");
  }
  lua_setmetatable(state, -2);
  call->start();
  return 1;
}

// http_ask(method, url[, seconds]) -> what http_begin does, for a request of which nothing else is said. The method is
// known to be good.
int http_ask(lua_State* state) {
  Vm& vm = Vm::of(state);
  client::Network& network = vm.host().network();
  const double seconds = luaL_optnumber(state, 3, HttpTimes().total);
  return begin_call(state, network,
                    plain_request(network, vm.current(), text_at(state, 1), text_at(state, 2), seconds));
}

// http_begin(options) -> a call; or nil, the error and whether to raise it. The options are those of read_request().
int http_begin(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  Vm& vm = Vm::of(state);
  client::Network& network = vm.host().network();
  return begin_call(state, network, read_request(state, network, vm.current()));
}

int waits(lua_State* state, HttpCall& call) {
  call.set_waker(waker_of(*Vm::of(state).current()));
  return 0;
}

// A call that failed is shown to its caller once, and counted at the error desk then.
int failed(lua_State* state, const HttpCall& call) {
  Vm& vm = Vm::of(state);
  note_failure(vm, vm.current(), call.error(), call.host());
  lua_pushboolean(state, 0);
  push(state, call.error());
  return 2;
}

// Names in lower case; a field that came several times is joined by commas, Set-Cookie, which can't be, is a list.
void push_fields(lua_State* state, const HttpCall& call) {
  lua_newtable(state);
  const int table = lua_gettop(state);
  for (const ResponseReader::Field& field : call.answer().fields()) {
    std::string name(field.name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    if (call.decoded() && (name == "content-length" || name == "content-encoding")) {
      continue;
    }
    push(state, name);
    lua_pushvalue(state, -1);
    lua_rawget(state, table);
    if (name == "set-cookie") {
      if (lua_isnil(state, -1)) {
        lua_pop(state, 1);
        lua_newtable(state);
      }
      push(state, field.value);
      lua_rawseti(state, -2, static_cast<int>(lua_objlen(state, -2)) + 1);
    } else if (lua_isnil(state, -1)) {
      lua_pop(state, 1);
      push(state, field.value);
    } else {
      lua_pushliteral(state, ", ");
      push(state, field.value);
      lua_concat(state, 3);
    }
    lua_rawset(state, table);
  }
}

// http_answer(call) -> true, status, headers, body ("" of one that is kept); or false and the error.
int http_answer(lua_State* state) {
  HttpCall& call = call_at(state);
  if (!call.answered()) {
    return waits(state, call);
  }
  if (!call.shows()) {
    return failed(state, call);
  }
  lua_pushboolean(state, 1);
  lua_pushinteger(state, call.answer().status());
  push_fields(state, call);
  const bool whole = lua_toboolean(state, 2) != 0;
  push(state, whole ? std::string_view(call.body()) : std::string_view());
  if (whole) {
    call.take_body();
  }
  return 4;
}

// http_read(call) -> true and the next part of the body, "" at its end; or false and the error.
int http_read(lua_State* state) {
  HttpCall& call = call_at(state);
  if (call.body().empty() && !call.ended()) {
    return waits(state, call);
  }
  if (call.body().empty() && call.failed()) {
    return failed(state, call);
  }
  lua_pushboolean(state, 1);
  push(state, call.body());
  call.take_body();
  return 2;
}

// http_write(call, bytes) -> true; or false and the error.
int http_write(lua_State* state) {
  HttpCall& call = call_at(state);
  if (!call.write(text_at(state, 2))) {
    return waits(state, call);
  }
  if (call.failed()) {
    return failed(state, call);
  }
  lua_pushboolean(state, 1);
  return 1;
}

int http_end_body(lua_State* state) {
  call_at(state).end_body();
  return 0;
}

int http_close(lua_State* state) {
  call_at(state).close();
  return 0;
}

// http_resolve(url, location) -> the url it means, whether credentials may go there too; or nil and the error.
int http_resolve(lua_State* state) {
  const auto base = http::parse_client_url(text_at(state, 1));
  const auto next = base ? http::resolve_client_url(*base, text_at(state, 2)) : base;
  if (!next) {
    lua_pushnil(state);
    push(state, "refused: " + next.error().message);
    return 2;
  }
  push(state, next->text());
  lua_pushboolean(state, base->same_origin(*next) ? 1 : 0);
  return 2;
}

// http_host(url) -> "host:port" of a url that was asked for.
int http_host(lua_State* state) {
  const auto url = http::parse_client_url(text_at(state, 1));
  push(state, url ? client::Destination{url->host, url->port}.text() : std::string());
  return 1;
}

// http_encode(text) -> percent-encoded but for unreserved characters.
int http_encode(lua_State* state) {
  push(state, http::percent_encode(text_at(state, 1)));
  return 1;
}

void set_count(lua_State* state, const char* name, std::uint64_t count) {
  lua_pushnumber(state, static_cast<double>(count));
  lua_setfield(state, -2, name);
}

// http_stats() -> by host: requests, reused, sent, received, open, idle, errors.
int http_stats(lua_State* state) {
  lua_newtable(state);
  for (const auto& [host, stats] : Vm::of(state).host().network().hosts().all()) {
    push(state, host);
    lua_createtable(state, 0, 7);
    set_count(state, "requests", stats.requests);
    set_count(state, "reused", stats.reused);
    set_count(state, "sent", stats.sent);
    set_count(state, "received", stats.received);
    set_count(state, "open", stats.open);
    set_count(state, "idle", stats.open - stats.busy);
    lua_newtable(state);
    for (const auto& [word, count] : stats.errors) {
      set_count(state, word.c_str(), count);
    }
    lua_setfield(state, -2, "errors");
    lua_rawset(state, -3);
  }
  return 1;
}

}  // namespace

void bind_http(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"http_begin", http_begin},     {"http_answer", http_answer},     {"http_read", http_read},
      {"http_write", http_write},     {"http_end_body", http_end_body}, {"http_close", http_close},
      {"http_resolve", http_resolve}, {"http_encode", http_encode},     {"http_stats", http_stats},
      {"http_host", http_host},       {"http_ask", http_ask},           {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  constexpr HttpTimes kUsual;
  lua_pushnumber(state, kUsual.connect);
  lua_setfield(state, -2, "http_connect_seconds");
  lua_pushnumber(state, kUsual.read);
  lua_setfield(state, -2, "http_read_seconds");
  lua_pushnumber(state, kUsual.total);
  lua_setfield(state, -2, "http_total_seconds");
}

}  // namespace perigee::script
