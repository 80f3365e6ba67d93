// perigee.http: one call is a userdata. What waits returns nothing, and is asked again when the task was woken.

#include <lua.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "client/http_call.h"
#include "client/network.h"
#include "http/client_url.h"
#include "http/field_syntax.h"
#include "http/url.h"
#include "script/bind.h"
#include "script/failure_note.h"
#include "script/origin.h"
#include "script/task_waker.h"
#include "script/tls_options.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

using client::HttpCall;
using http::ResponseReader;

constexpr const char* kCall = "perigee.HttpCall";
constexpr double kLongest = 1e9;                        // seconds
constexpr double kUsualTotal = 30, kUsualConnect = 10;  // as lua/perigee/http.lua has them

std::string_view text_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  return {text != nullptr ? text : "", size};
}

void push(lua_State* state, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
}

// nil, the error and, of what only the program can cause, true.
int refuse(lua_State* state, const std::string& message, bool raises) {
  lua_pushnil(state);
  push(state, message);
  lua_pushboolean(state, raises ? 1 : 0);
  return 3;
}

double number_field(lua_State* state, const char* name, double absent) {
  lua_getfield(state, 1, name);
  const double value = lua_isnumber(state, -1) != 0 ? lua_tonumber(state, -1) : absent;
  lua_pop(state, 1);
  return value;
}

bool flag_field(lua_State* state, const char* name) {
  lua_getfield(state, 1, name);
  const bool value = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return value;
}

Milliseconds milliseconds(double seconds) {
  return static_cast<Milliseconds>(std::ceil(std::clamp(seconds, 0.0, kLongest) * 1000));
}

Milliseconds milliseconds_field(lua_State* state, const char* name, double absent) {
  return milliseconds(number_field(state, name, absent));
}

// What of the headers the client says itself where the program does not.
struct Said {
  bool agent = false, accept = false, coding = false, authorization = false, trace = false;
};

// One line; the error where it can't be sent.
std::string add_field(HttpCall::Request& request, Said& said, std::string_view name, std::string_view value) {
  if (!http::is_token(name)) {
    return "a header's name is no token";
  }
  if (!http::is_field_value(value)) {
    return "the header '" + std::string(name) + "' holds CR, LF, NUL or another control byte";
  }
  for (const char* own : {"content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}) {
    if (http::equal_fold(name, own)) {
      return "the header '" + std::string(name) + "' is said by perigee.http itself";
    }
  }
  if (http::equal_fold(name, "host")) {
    request.host = value;
    return http::is_host(value) && !value.empty() ? "" : "the header 'host' is malformed";
  }
  said.agent = said.agent || http::equal_fold(name, "user-agent");
  said.accept = said.accept || http::equal_fold(name, "accept");
  said.coding = said.coding || http::equal_fold(name, "accept-encoding");
  said.trace = said.trace || http::equal_fold(name, "traceparent");
  said.authorization = said.authorization || http::equal_fold(name, "authorization");
  request.fields.append(name).append(": ").append(value).append("\r\n");
  return "";
}

// The table of headers on top of the stack; a list sends the field once an item. The error, or "".
std::string add_fields(lua_State* state, HttpCall::Request& request, Said& said) {
  const int table = lua_gettop(state);
  lua_pushnil(state);
  while (lua_next(state, table) != 0) {
    if (lua_type(state, -2) != LUA_TSTRING) {
      return "a header's name is no string";
    }
    const std::string name(text_at(state, -2));
    const bool list = lua_istable(state, -1);
    const int count = list ? static_cast<int>(lua_objlen(state, -1)) : 1;
    for (int i = 1; i <= count; ++i) {
      list ? lua_rawgeti(state, -1, i) : lua_pushvalue(state, -1);
      const int type = lua_type(state, -1);
      if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        return "the header '" + name + "' is no string";
      }
      if (const std::string error = add_field(request, said, name, text_at(state, -1)); !error.empty()) {
        return error;
      }
      lua_pop(state, 1);
    }
    lua_pop(state, 1);
  }
  return "";
}

void add_own_fields(HttpCall::Request& request, const Said& said, const Task* task) {
  if (!said.agent) {
    request.fields += "User-Agent: perigee\r\n";
  }
  if (!said.accept) {
    request.fields += "Accept: */*\r\n";
  }
  if (!said.coding) {
    request.fields += "Accept-Encoding: gzip, br\r\n";
    request.decodes = true;
  }
  if (!said.authorization && !request.plan.url.userinfo.empty()) {
    request.fields += "Authorization: " + http::basic_credentials(request.plan.url.userinfo) + "\r\n";
  }
  if (said.trace) {
    return;
  }
  if (const std::string trace = outgoing_trace(task); !trace.empty()) {
    request.fields.append("traceparent: ").append(trace).append("\r\n");
    if (const std::string vendors = outgoing_state(task); !vendors.empty()) {
      request.fields.append("tracestate: ").append(vendors).append("\r\n");
    }
  }
}

// How to reach the url's host where the program says nothing about it.
void usual_plan(client::Network& network, client::HttpConnector::Plan& plan) {
  if (const client::Proxy* usual = network.proxies().find(plan.url); usual != nullptr) {
    plan.proxy = *usual;
  }
  plan.block_private = network.settings().block_private;
  if (plan.url.secure) {
    plan.security.target.server_name = plan.url.host;
  }
}

// Reads the fields `proxy` and `tls`. The error, or "".
std::string read_plan(lua_State* state, client::Network& network, client::HttpConnector::Plan& plan) {
  lua_getfield(state, 1, "proxy");
  if (lua_type(state, -1) == LUA_TSTRING) {
    auto proxy = client::Proxy::parse(text_at(state, -1));
    if (!proxy) {
      return "the option 'proxy': " + proxy.error().message;
    }
    plan.proxy = *std::move(proxy);
  } else if (const client::Proxy* usual = network.proxies().find(plan.url); lua_isnil(state, -1) && usual != nullptr) {
    plan.proxy = *usual;
  }
  lua_getfield(state, 1, "block_private");
  plan.block_private = lua_isnil(state, -1) ? network.settings().block_private : lua_toboolean(state, -1) != 0;
  if (plan.url.secure) {
    lua_getfield(state, 1, "tls");
    if (lua_istable(state, -1)) {
      plan.security = tls_options(state, lua_gettop(state));
    }
    if (plan.security.target.server_name.empty()) {
      plan.security.target.server_name = plan.url.host;
    }
    lua_pop(state, 1);
  }
  lua_pop(state, 2);
  return "";
}

int close_call(lua_State* state) {
  static_cast<HttpCall*>(lua_touserdata(state, 1))->~HttpCall();
  return 0;
}

HttpCall& call_at(lua_State* state) {
  return *static_cast<HttpCall*>(luaL_checkudata(state, 1, kCall));
}

// Pushes the call, which is under way.
int begin_call(lua_State* state, client::Network& network, HttpCall::Request request) {
  auto* call = new (lua_newuserdata(state, sizeof(HttpCall))) HttpCall(network, std::move(request));
  if (luaL_newmetatable(state, kCall) != 0) {
    lua_pushcfunction(state, close_call);
    lua_setfield(state, -2, "__gc");
  }
  lua_setmetatable(state, -2);
  call->start();
  return 1;
}

bool sends_length(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// http_ask(method, url[, seconds]) -> what http_begin does, for a request of which nothing else is said. The method is
// known to be good.
int http_ask(lua_State* state) {
  client::Network& network = Vm::of(state).host().network();
  HttpCall::Request request;
  auto url = http::parse_client_url(text_at(state, 2));
  if (!url) {
    return refuse(state, "refused: " + url.error().message, false);
  }
  request.plan.url = *std::move(url);
  request.method = text_at(state, 1);
  usual_plan(network, request.plan);
  add_own_fields(request, {}, Vm::of(state).current());
  request.has_body = sends_length(request.method);
  const Milliseconds total = milliseconds(luaL_optnumber(state, 3, kUsualTotal));
  request.connect = std::min(milliseconds(kUsualConnect), total);
  request.read = total;
  request.deadline = monotonic_ms() + total;
  request.most = network.settings().most_answered;
  return begin_call(state, network, std::move(request));
}

// http_begin(options) -> a call; or nil, the error and whether to raise it. The options are checked in Lua but for
// url, headers and proxy: method, url, headers, body, streams, keeps, connect, read, total, max_body, proxy,
// block_private, tls.
int http_begin(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  client::Network& network = Vm::of(state).host().network();
  HttpCall::Request request;
  lua_getfield(state, 1, "url");
  auto url = http::parse_client_url(text_at(state, -1));
  if (!url) {
    return refuse(state, "refused: " + url.error().message, false);
  }
  request.plan.url = *std::move(url);
  lua_getfield(state, 1, "method");
  request.method = text_at(state, -1);
  if (!http::is_token(request.method) || request.method == "CONNECT") {
    return refuse(state, "the method is no token, or CONNECT", true);
  }
  if (const std::string error = read_plan(state, network, request.plan); !error.empty()) {
    return refuse(state, error, true);
  }
  Said said;
  lua_getfield(state, 1, "headers");
  if (const std::string error = lua_istable(state, -1) ? add_fields(state, request, said) : ""; !error.empty()) {
    return refuse(state, error, true);
  }
  add_own_fields(request, said, Vm::of(state).current());
  lua_getfield(state, 1, "body");
  if (lua_type(state, -1) == LUA_TSTRING) {
    request.body = text_at(state, -1);
  }
  request.streams = flag_field(state, "streams");
  request.has_body = lua_type(state, -1) == LUA_TSTRING || sends_length(request.method);
  request.keeps = flag_field(state, "keeps");
  request.connect = milliseconds_field(state, "connect", 10);
  request.read = milliseconds_field(state, "read", 30);
  request.deadline = monotonic_ms() + milliseconds_field(state, "total", 30);
  const double usual = request.keeps ? 0 : static_cast<double>(network.settings().most_answered);
  request.most = static_cast<std::uint64_t>(std::clamp(number_field(state, "max_body", usual), 0.0, 9e15));
  return begin_call(state, network, std::move(request));
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
}

}  // namespace perigee::script
