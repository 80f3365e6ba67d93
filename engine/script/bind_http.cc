// perigee.http: one call is a userdata. What waits returns nothing, and is asked again when the task was woken. A plain
// request is its task's own, without an object.

#include <lua.hpp>

#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "client/http_answer.h"
#include "client/http_call.h"
#include "client/network.h"
#include "http/client_url.h"
#include "http/field_syntax.h"
#include "http/head_pass.h"
#include "http/url.h"
#include "profiler/wait_sites.h"
#include "script/bind.h"
#include "script/failure_note.h"
#include "script/http_asks.h"
#include "script/http_request.h"
#include "script/stack_text.h"
#include "script/task_waker.h"
#include "script/vm.h"
#include "script/waiting.h"

namespace perigee::script {
namespace {

using client::HttpCall;

constexpr const char* kCall = "perigee.HttpCall";

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

constexpr std::size_t kLongestPeer = 100;  // bytes of a name in profiles

// The number under which profiles know that an answer of the call's host is waited for.
std::uint32_t site_of(const HttpCall& call) {
  std::uint32_t& label = call.peer().label;
  if (label == 0) {
    label = profiler::wait_site("perigee.http", std::string_view(call.peer().host).substr(0, kLongestPeer));
  }
  return label;
}

// Pushes the call, which is under way.
int begin_call(lua_State* state, client::Network& network, HttpRequest request) {
  if (!request) {
    return refuse(state, request.error());
  }
  void* const place = lua_newuserdata(state, sizeof(HttpCall));
  luaL_getmetatable(state, kCall);
  auto* call = new (place) HttpCall(network);
  lua_setmetatable(state, -2);
  call->start(*std::move(request));
  return 1;
}

// http_ask(method, url[, seconds]): waits for the answer to a request of which nothing else is said; the method is
// known to be good. It is the running task's one, until http_take() or http_leave(). Nil and an error where it can't
// begin, false where nothing can wait, else what wait() says.
int http_ask(lua_State* state) {
  Vm& vm = Vm::of(state);
  if (!can_wait(state, vm)) {
    lua_pushboolean(state, 0);
    return 1;
  }
  Task& task = *vm.current();
  client::Network& network = vm.host().network();
  const double seconds = luaL_optnumber(state, 3, HttpTimes().total);
  HttpCall& call = vm.asks().take(task, network);
  const auto filled = fill_plain(call.renew(), network, &task, string_at(state, 1), string_at(state, 2), seconds);
  if (!filled) [[unlikely]] {
    vm.asks().leave(task);
    return refuse(state, filled.error());
  }
  call.start();
  if (call.answered()) {
    return 0;
  }
  call.set_waker(waker_of(task));
  return wait_for(state, vm, static_cast<std::int32_t>(site_of(call)));
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
  note_failure(vm, vm.current(), call.error(), call.peer().name);
  lua_pushboolean(state, 0);
  push(state, call.error());
  return 2;
}

// Adds a field to the table on top of the stack. Names in lower case; one that came several times is joined by commas,
// Set-Cookie, which can't be, is a list.
void push_field(lua_State* state, std::string_view as_sent, std::string_view value) {
  const int table = lua_gettop(state);
  std::string name(as_sent);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  push(state, name);
  lua_pushvalue(state, -1);
  lua_rawget(state, table);
  if (name == "set-cookie") {
    if (lua_isnil(state, -1)) {
      lua_pop(state, 1);
      lua_newtable(state);
    }
    push(state, value);
    lua_rawseti(state, -2, static_cast<int>(lua_objlen(state, -2)) + 1);
  } else if (lua_isnil(state, -1)) {
    lua_pop(state, 1);
    push(state, value);
  } else {
    lua_pushliteral(state, ", ");
    push(state, value);
    lua_concat(state, 3);
  }
  lua_rawset(state, table);
}

// http_headers(head[, decoded]) -> the headers of an answer's head, which is known to be good. `decoded`: a coding was
// taken off the body, so that its length and coding are not what the head says.
int http_headers(lua_State* state) {
  std::string_view rest = string_at(state, 1);
  const bool decoded = lua_toboolean(state, 2) != 0;
  lua_newtable(state);
  rest.remove_prefix(std::min(rest.find("\r\n"), rest.size() - 2) + 2);
  while (rest.size() > 2) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const bool hidden =
        decoded && (http::equal_fold(name, "content-length") || http::equal_fold(name, "content-encoding"));
    if (!hidden) {
      push_field(state, name, http::trim(line.data() + colon + 1, line.data() + line.size()));
    }
    rest.remove_prefix(line.size() + 2);
  }
  return 1;
}

// Pushes head and body of what came, and whether a coding was taken off the body.
void push_answer(lua_State* state, const client::HttpAnswer& answer, bool whole) {
  lua_pushinteger(state, answer.status());
  push(state, answer.head());
  push(state, whole ? std::string_view(answer.body()) : std::string_view());
  lua_pushboolean(state, answer.decoded() ? 1 : 0);
}

// http_take() -> status, head, body, whether it was decoded, when the request must have ended, on the clock of
// monotonic(); or nil and the error. False and the number of what is waited for where the answer of the running task's
// request is not there yet.
int http_take(lua_State* state) {
  Vm& vm = Vm::of(state);
  Task& task = *vm.current();
  if (task.ask == nullptr) {
    lua_pushnil(state);
    lua_pushliteral(state, "cancelled");
    return 2;
  }
  HttpCall& call = *task.ask;
  if (!call.answered()) {
    call.set_waker(waker_of(task));
    lua_pushboolean(state, 0);
    lua_pushnumber(state, site_of(call));
    return 2;
  }
  if (!call.shows()) {
    lua_pushnil(state);
    (void)failed(state, call);
    lua_remove(state, -2);
    vm.asks().leave(task);
    return 2;
  }
  push_answer(state, call.answer(), true);
  lua_pushnumber(state, static_cast<double>(call.deadline()) * 1e-3);
  vm.asks().leave(task);
  return 5;
}

// http_leave(): the running task's request ends.
int http_leave(lua_State* state) {
  Vm& vm = Vm::of(state);
  vm.asks().leave(*vm.current());
  return 0;
}

// http_answer(call, whole) -> true, status, head, body ("" of one that is kept), whether it was decoded; or false and
// the error.
int http_answer(lua_State* state) {
  HttpCall& call = call_at(state);
  if (!call.answered()) {
    return waits(state, call);
  }
  if (!call.shows()) {
    return failed(state, call);
  }
  const bool whole = lua_toboolean(state, 2) != 0;
  lua_pushboolean(state, 1);
  push_answer(state, call.answer(), whole);
  if (whole) {
    call.take_body();
  }
  return 5;
}

// http_read(call) -> true and the next part of the body, "" at its end; or false and the error.
int http_read(lua_State* state) {
  HttpCall& call = call_at(state);
  const std::string& body = call.answer().body();
  if (body.empty() && !call.ended()) {
    return waits(state, call);
  }
  if (body.empty() && call.failed()) {
    return failed(state, call);
  }
  lua_pushboolean(state, 1);
  push(state, body);
  call.take_body();
  return 2;
}

// http_write(call, bytes) -> true; or false and the error.
int http_write(lua_State* state) {
  HttpCall& call = call_at(state);
  if (!call.write(string_at(state, 2))) {
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

// http_site(call) -> the number of what is waited for.
int http_site(lua_State* state) {
  lua_pushnumber(state, site_of(call_at(state)));
  return 1;
}

int http_close(lua_State* state) {
  call_at(state).close();
  return 0;
}

// http_resolve(url, location) -> the url it means, whether credentials may go there too; or nil and the error.
int http_resolve(lua_State* state) {
  const auto base = http::parse_client_url(string_at(state, 1));
  const auto next = base ? http::resolve_client_url(*base, string_at(state, 2)) : base;
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
  const auto url = http::parse_client_url(string_at(state, 1));
  push(state, url ? client::Destination{url->host, url->port}.text() : std::string());
  return 1;
}

// http_encode(text) -> percent-encoded but for unreserved characters.
int http_encode(lua_State* state) {
  push(state, http::percent_encode(string_at(state, 1)));
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
  static constexpr luaL_Reg kFunctions[] = {{"http_begin", http_begin},       {"http_answer", http_answer},
                                            {"http_read", http_read},         {"http_write", http_write},
                                            {"http_end_body", http_end_body}, {"http_close", http_close},
                                            {"http_resolve", http_resolve},   {"http_encode", http_encode},
                                            {"http_stats", http_stats},       {"http_host", http_host},
                                            {"http_ask", http_ask},           {"http_take", http_take},
                                            {"http_leave", http_leave},       {"http_headers", http_headers},
                                            {"http_site", http_site},         {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  luaL_newmetatable(state, kCall);  // here, where memory that is refused leaves no VM with half of it
  lua_pushcfunction(state, close_call);
  lua_setfield(state, -2, "__gc");
  lua_pop(state, 1);
  constexpr HttpTimes kUsual;
  lua_pushnumber(state, kUsual.connect);
  lua_setfield(state, -2, "http_connect_seconds");
  lua_pushnumber(state, kUsual.read);
  lua_setfield(state, -2, "http_read_seconds");
  lua_pushnumber(state, kUsual.total);
  lua_setfield(state, -2, "http_total_seconds");
}

}  // namespace perigee::script
