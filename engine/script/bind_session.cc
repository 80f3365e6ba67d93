// req.session and perigee.sessions: the leaves are called by compiled Lua through the FFI; what handles tables, or
// changes a session, runs in the coroutine. lua/perigee/session.lua says when.

#include <lua.hpp>

#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "http/cookie.h"
#include "script/bind.h"
#include "script/exchange.h"
#include "script/stack_text.h"
#include "script/table_packer.h"
#include "script/vm.h"
#include "state/session_data.h"
#include "state/session_token.h"

#define PERIGEE_FFI extern "C" __attribute__((visibility("default"), used))

using perigee::Slice;
using perigee::script::Exchange;
using perigee::script::Host;
using perigee::script::RequestSession;
using perigee::script::Task;
using perigee::script::TaskView;
using perigee::state::DictionaryValue;
using perigee::state::SessionEntries;
using perigee::state::SessionStore;
using perigee::state::SessionToken;
using perigee::state::ValueKind;

namespace {

// The session of the task's request, looked for if it was not.
RequestSession& session_of(Task& task) {
  Exchange& exchange = *task.exchange;
  RequestSession& session = exchange.session;
  if (!session.looked()) {
    Host& host = task.vm.host();
    const auto& cookie = host.session_cookie();
    const bool secure = host.scheme(exchange) == "https";
    const std::string& name = secure ? cookie.host : cookie.plain;
    session.look(host.sessions(), exchange.only_cookie(name, SessionToken::kSize), host.now());
    if (task.phase == Task::Phase::kStream) {
      host.watch_session(exchange);
    }
  }
  return session;
}

}  // namespace

/// What the session of the task's request holds under a key, as it was when it was first looked at: a ValueKind, and
/// request->found or request->number.
PERIGEE_FFI std::int32_t perigee_session_read(TaskView* task, const char* key, std::size_t size) noexcept {
  const RequestSession& session = session_of(*task->owner);
  const DictionaryValue value = SessionEntries::find(session.data(), {key, size});
  task->request->found = Slice::of(value.bytes);
  task->request->number = value.number;
  return static_cast<std::int32_t>(value.kind);
}

/// 1 where the request has a session.
PERIGEE_FFI std::int32_t perigee_session_exists(TaskView* task) noexcept {
  return session_of(*task->owner).exists() ? 1 : 0;
}

/// 1 where the head of the answer is on its way: no cookie can go with it any more.
PERIGEE_FFI std::int32_t perigee_session_late(TaskView* task) noexcept {
  const Task::Phase phase = task->owner->phase;
  return phase == Task::Phase::kStream || phase == Task::Phase::kSave || phase == Task::Phase::kAfter ? 1 : 0;
}

/// The session is used.
PERIGEE_FFI void perigee_session_touch(TaskView* task) noexcept {
  const RequestSession& session = session_of(*task->owner);
  if (session.exists()) {
    task->owner->vm.host().sessions().touch(session.session(), perigee::monotonic_coarse_ms());
  }
}

namespace perigee::script {
namespace {

Task& task_of(lua_State* state) {
  return *exchange_of(state).task;
}

// Who waits where the store keeps what is written. A task that was told to stop waits for nothing.
SessionStore::Waiter waiter_of(Task& task) {
  if (!task.vm.host().sessions().waits() || task.view.cancelled != 0) {
    return {};
  }
  task.told.reset();
  auto done = [life = task.vm.life(), &task, serial = task.view.serial](const std::string& error) {
    if (!life.expired() && task.view.serial == serial) {
      task.told = error;
      task.vm.make_ready(task);
    }
  };
  return {&task.vm.host().executor(), std::move(done)};
}

int push_outcome(lua_State* state, SessionStore::Outcome outcome) {
  static constexpr const char* kNames[] = {"done", "waiting", "gone", "too large"};
  lua_pushstring(state, kNames[static_cast<std::size_t>(outcome)]);
  return 1;
}

// The value on top of the stack as an entry. False: it can't be kept, and why is on top of the stack then.
bool pack_entry(lua_State* state, std::string_view key, std::string& entries) {
  DictionaryValue value;
  std::string bytes;
  switch (lua_type(state, -1)) {
    case LUA_TSTRING:
      value = {ValueKind::kString, 0, string_at(state, -1)};
      break;
    case LUA_TNUMBER:
      value = {ValueKind::kNumber, lua_tonumber(state, -1), {}};
      break;
    case LUA_TBOOLEAN:
      value.kind = lua_toboolean(state, -1) != 0 ? ValueKind::kTrue : ValueKind::kFalse;
      break;
    case LUA_TTABLE: {
      TablePacker packer(state, bytes);
      if (!packer.pack(lua_gettop(state))) {
        const std::string why = "req.session." + std::string(key) + ": " + packer.error();
        lua_pushlstring(state, why.data(), why.size());
        return false;
      }
      value = {ValueKind::kTable, 0, bytes};
      break;
    }
    default:  // the mark of a key that is to go
      break;
  }
  SessionEntries::append(entries, key, value);
  return true;
}

void push_value(lua_State* state, const DictionaryValue& value) {
  switch (value.kind) {
    case ValueKind::kString:
      lua_pushlstring(state, value.bytes.data(), value.bytes.size());
      break;
    case ValueKind::kNumber:
      lua_pushnumber(state, value.number);
      break;
    case ValueKind::kTable:
      unpack_table(state, value.bytes);
      break;
    case ValueKind::kTrue:
    case ValueKind::kFalse:
      lua_pushboolean(state, value.kind == ValueKind::kTrue ? 1 : 0);
      break;
    case ValueKind::kNone:
      lua_pushnil(state);
      break;
  }
}

void push_entries(lua_State* state, std::string_view bytes) {
  lua_newtable(state);
  for (SessionEntries entries(bytes); entries.next();) {
    lua_pushlstring(state, entries.key().data(), entries.key().size());
    push_value(state, entries.value());
    lua_rawset(state, -3);
  }
}

void push_id(lua_State* state, std::uint64_t id) {
  char text[20];
  const int size = std::snprintf(text, sizeof text, "%016" PRIx64, id);
  lua_pushlstring(state, text, static_cast<std::size_t>(size));
}

// session_id(view) -> a string; nil without a session.
int session_id(lua_State* state) {
  const RequestSession& session = session_of(task_of(state));
  if (!session.exists()) {
    return 0;
  }
  push_id(state, session.session()->id());
  return 1;
}

// session_all(view) -> all keys and values, as they were when the session was first looked at.
int session_all(lua_State* state) {
  push_entries(state, session_of(task_of(state)).data());
  return 1;
}

// session_save(view, changes, rotate) -> an outcome, and the token where it is a new one. Makes the session where there
// is none. Raises, and has changed nothing, where a value can't be kept.
int session_save(lua_State* state) {
  Task& task = task_of(state);
  luaL_checktype(state, 2, LUA_TTABLE);
  std::string entries;
  lua_pushnil(state);
  while (lua_next(state, 2) != 0) {
    if (!pack_entry(state, string_at(state, -2), entries)) {
      return lua_error(state);
    }
    lua_pop(state, 1);
  }
  RequestSession& session = session_of(task);
  SessionStore& store = task.vm.host().sessions();
  const Milliseconds now = monotonic_coarse_ms();
  SessionStore::Written written =
      session.exists() ? store.write(session.session(), entries, lua_toboolean(state, 3) != 0, now, waiter_of(task))
                       : store.make(entries, now, waiter_of(task));
  if (written.outcome <= SessionStore::Outcome::kWaiting) {
    session.take(std::move(written.session), std::move(written.data));
  }
  (void)push_outcome(state, written.outcome);
  if (written.token.empty()) {
    return 1;
  }
  lua_pushlstring(state, written.token.data(), written.token.size());
  return 2;
}

// session_destroy(view) -> an outcome. The request has no session after it.
int session_destroy(lua_State* state) {
  Task& task = task_of(state);
  RequestSession& session = session_of(task);
  const auto outcome = task.vm.host().sessions().destroy(session.session(), waiter_of(task));
  session.drop();
  return push_outcome(state, outcome);
}

// session_forget(view): what the request knows of its session is undone.
int session_forget(lua_State* state) {
  exchange_of(state).session.end();
  return 0;
}

// session_told() -> "" or an error; nothing while the running task was told nothing.
int session_told(lua_State* state) {
  Task& task = *Vm::of(state).current();
  if (!task.told) {
    return 0;
  }
  const std::string error = std::move(*task.told);
  task.told.reset();
  lua_pushlstring(state, error.data(), error.size());
  return 1;
}

// session_cookie(view, token): the cookie rides on the answer; nil deletes it.
int session_cookie(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  Host& host = exchange.task->vm.host();
  http::SetCookie cookie;
  cookie.secure = host.scheme(exchange) == "https";
  cookie.name = cookie.secure ? host.session_cookie().host : host.session_cookie().plain;
  if (lua_isnoneornil(state, 2)) {
    cookie.max_age = 0;
  } else {
    cookie.value = string_at(state, 2);
  }
  if (const auto line = http::set_cookie_line(cookie)) {  // the configuration was checked: it is one
    exchange.answer.cookies += *line;
  }
  return 0;
}

// sessions_of(user) -> a list of { id, created, used, values }; the times are seconds since the epoch.
int sessions_of(lua_State* state) {
  SessionStore& store = Vm::of(state).host().sessions();
  const Milliseconds now = monotonic_coarse_ms();
  const double epoch = wall_seconds() - static_cast<double>(now) / 1000;
  lua_newtable(state);
  int count = 0;
  for (const SessionStore::Listed& session : store.of(string_at(state, 1), now)) {
    lua_createtable(state, 0, 4);
    push_id(state, session.id);
    lua_setfield(state, -2, "id");
    lua_pushnumber(state, epoch + static_cast<double>(session.created) / 1000);
    lua_setfield(state, -2, "created");
    lua_pushnumber(state, epoch + static_cast<double>(session.used) / 1000);
    lua_setfield(state, -2, "used");
    push_entries(state, *session.data);
    lua_setfield(state, -2, "values");
    lua_rawseti(state, -2, ++count);
  }
  return 1;
}

// sessions_destroy(user, id) -> how many, an outcome. The id, a string of hexadecimal digits, may be nil.
int sessions_destroy(lua_State* state) {
  Vm& vm = Vm::of(state);
  std::uint64_t id = 0;
  if (!lua_isnoneornil(state, 2) && (std::sscanf(lua_tostring(state, 2), "%" SCNx64, &id) != 1 || id == 0)) {
    id = 1;  // no session has it
  }
  const auto [count, outcome] = vm.host().sessions().destroy_user(string_at(state, 1), id, waiter_of(*vm.current()));
  lua_pushinteger(state, static_cast<lua_Integer>(count));
  return 1 + push_outcome(state, outcome);
}

}  // namespace

void bind_session(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"session_id", session_id},
                                            {"session_all", session_all},
                                            {"session_save", session_save},
                                            {"session_destroy", session_destroy},
                                            {"session_forget", session_forget},
                                            {"session_told", session_told},
                                            {"session_cookie", session_cookie},
                                            {"sessions_of", sessions_of},
                                            {"sessions_destroy", sessions_destroy},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
