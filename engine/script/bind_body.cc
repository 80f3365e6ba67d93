// How a body is read: whole, or in parts while it still arrives.

#include <lua.hpp>

#include <algorithm>

#include "script/bind.h"
#include "script/exchange.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// Pushes word, detail and status of why there is no more of the body.
int push_failure(lua_State* state, const BodyIntake& intake) {
  const BodyIntake::Failure& failure = intake.failure();
  lua_pushlstring(state, failure.word.data(), failure.word.size());
  lua_pushlstring(state, failure.detail.data(), failure.detail.size());
  lua_pushinteger(state, failure.status);
  return 3;
}

// take_whole(task) -> true once the body is whole, false while it arrives; or nil, word, detail, status.
int take_whole(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  if (exchange.intake == nullptr) {
    lua_pushboolean(state, 1);
    return 1;
  }
  Vm::of(state).host().receive_body(exchange);
  if (exchange.intake->state() == BodyIntake::State::kFailed) {
    lua_pushnil(state);
    return 1 + push_failure(state, *exchange.intake);
  }
  lua_pushboolean(state, exchange.intake->arriving() ? 0 : 1);
  return 1;
}

// take_part(task, n) -> 1 to n bytes; false while none are there; nil at the body's end; or nil, word, detail, status.
int take_part(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  const lua_Number most = luaL_checknumber(state, 2);
  BodyIntake& intake = exchange.open_intake();
  if (intake.arriving() && intake.unread(exchange.body).empty()) {
    Vm::of(state).host().receive_body(exchange);
  }
  const std::string_view unread = intake.unread(exchange.body);
  if (!unread.empty()) {
    const std::size_t size =
        most < static_cast<lua_Number>(unread.size()) ? static_cast<std::size_t>(most) : unread.size();
    lua_pushlstring(state, unread.data(), size);
    intake.advance(exchange.body, size);
    return 1;
  }
  if (intake.arriving()) {
    lua_pushboolean(state, 0);
    return 1;
  }
  lua_pushnil(state);
  return intake.state() == BodyIntake::State::kFailed ? 1 + push_failure(state, intake) : 1;
}

// await_body(task, whole): the running task is woken when there is more; it must wait next.
int await_body(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  Vm& vm = Vm::of(state);
  vm.host().await_body(exchange, *vm.current(), lua_toboolean(state, 2) != 0);
  return 0;
}

}  // namespace

void bind_body(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"take_whole", take_whole}, {"take_part", take_part}, {"await_body", await_body}, {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
