// What `perigee test` gives to files of tests: apps, clients, the clock, and a place for results.

#include <lua.hpp>

#include "base/clock.h"
#include "script/bind.h"
#include "script/test_desk.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

TestDesk& desk_of(lua_State* state) {
  return *Vm::of(state).host().test_desk();
}

std::string text_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

int number_at(lua_State* state, int index) {
  return static_cast<int>(luaL_checkinteger(state, index));
}

void push(lua_State* state, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
}

// Leaves nil and the message on the stack.
int push_failure(lua_State* state, std::string_view message) {
  lua_pushnil(state);
  push(state, message);
  return 2;
}

int push_number(lua_State* state, const Result<int>& result) {
  if (!result) {
    return push_failure(state, result.error().message);
  }
  lua_pushinteger(state, *result);
  return 1;
}

// open_app(path, served, settings: list of "section.key=value") -> number; or nil, mistakes.
int open_app(lua_State* state) {
  luaL_checktype(state, 3, LUA_TTABLE);
  TestDesk::AppRequest request;
  request.path = text_at(state, 1);
  request.served = lua_toboolean(state, 2) != 0;
  for (int i = 1; i <= static_cast<int>(lua_objlen(state, 3)); ++i) {
    lua_rawgeti(state, 3, i);
    request.sets.push_back(text_at(state, -1));
    lua_pop(state, 1);
  }
  return push_number(state, desk_of(state).open_app(request));
}

int close_app(lua_State* state) {
  desk_of(state).close_app(number_at(state, 1));
  return 0;
}

int address(lua_State* state) {
  push(state, desk_of(state).address(number_at(state, 1)));
  return 1;
}

int open_client(lua_State* state) {
  return push_number(state, desk_of(state).open_client(number_at(state, 1)));
}

int close_client(lua_State* state) {
  desk_of(state).close_client(number_at(state, 1));
  return 0;
}

// send(client, request, is_head) -> whether it is sent.
int send(lua_State* state) {
  std::size_t size = 0;
  const int client = number_at(state, 1);
  const char* request = luaL_checklstring(state, 2, &size);
  lua_pushboolean(state, desk_of(state).send(client, {request, size}, lua_toboolean(state, 3) != 0) ? 1 : 0);
  return 1;
}

// What an answer that was waited for came to: status, header lines, body, whether it sets cookies; or nil, why not.
int push_answer(lua_State* state, const http::AnswerReader& answer, bool in_time) {
  if (!in_time) {
    return push_failure(state, "timeout");
  }
  if (answer.state() == http::AnswerReader::State::kBroken) {
    return push_failure(state, "closed");
  }
  lua_pushinteger(state, answer.status());
  push(state, answer.fields());
  push(state, answer.body());
  lua_pushboolean(state, answer.sets_cookies() ? 1 : 0);
  return 4;
}

// answer(client, whole, seconds) -> status, header lines, body (what has come of it), whether it sets cookies; or nil,
// "timeout" or "closed".
int answer(lua_State* state) {
  TestDesk& desk = desk_of(state);
  const int client = number_at(state, 1);
  const auto wanted = lua_toboolean(state, 2) != 0 ? TestDesk::Wanted::kWhole : TestDesk::Wanted::kHead;
  const bool in_time = desk.await(client, wanted, luaL_optnumber(state, 3, -1));
  return push_answer(state, desk.answer(client), in_time);
}

// exchange(client, request, is_head): send() and answer() in one.
int exchange(lua_State* state) {
  TestDesk& desk = desk_of(state);
  std::size_t size = 0;
  const int client = number_at(state, 1);
  const char* request = luaL_checklstring(state, 2, &size);
  if (!desk.send(client, {request, size}, lua_toboolean(state, 3) != 0)) {
    return push_failure(state, "closed");
  }
  const bool in_time = desk.await(client, TestDesk::Wanted::kWhole, -1);
  return push_answer(state, desk.answer(client), in_time);
}

// part(client, seconds) -> what has come of the body since; nil at its end; or nil, "timeout" or "closed".
int part(lua_State* state) {
  TestDesk& desk = desk_of(state);
  const int client = number_at(state, 1);
  const bool in_time = desk.await(client, TestDesk::Wanted::kPart, luaL_optnumber(state, 2, -1));
  http::AnswerReader& reader = desk.answer(client);
  if (!reader.body().empty()) {
    push(state, reader.body());
    (void)reader.take_body();
    return 1;
  }
  if (!in_time) {
    return push_failure(state, "timeout");
  }
  if (reader.state() == http::AnswerReader::State::kBroken) {
    return push_failure(state, "closed");
  }
  lua_pushnil(state);
  return 1;
}

int advance(lua_State* state) {
  desk_of(state).advance(luaL_checknumber(state, 1));
  return 0;
}

// begin_test(name, place)
int begin_test(lua_State* state) {
  desk_of(state).begin_test(text_at(state, 1), text_at(state, 2));
  return 0;
}

// end_test(status, name, place, message)
int end_test(lua_State* state) {
  TestDesk::Outcome outcome;
  outcome.status = text_at(state, 1);
  outcome.name = text_at(state, 2);
  outcome.place = text_at(state, 3);
  outcome.message = text_at(state, 4);
  desk_of(state).end_test(std::move(outcome));
  return 0;
}

// allocated() -> how many allocations, of how many bytes: by the apps, or where there are none by this VM.
int allocated(lua_State* state) {
  const auto counts = desk_of(state).allocated().value_or(Vm::of(state).allocations());
  lua_pushnumber(state, static_cast<double>(counts.allocations));
  lua_pushnumber(state, static_cast<double>(counts.bytes));
  return 2;
}

// clock() -> nanoseconds, on a clock that nobody moves on.
int clock(lua_State* state) {
  lua_pushnumber(state, static_cast<double>(monotonic_ns() - clock_ahead * 1'000'000));
  return 1;
}

// meet(value, a, b) -> the largest value of all lanes, the sums of a and of b.
int meet(lua_State* state) {
  const TestDesk::Meeting all =
      desk_of(state).meet({luaL_checknumber(state, 1), luaL_checknumber(state, 2), luaL_checknumber(state, 3)});
  lua_pushnumber(state, all.largest);
  lua_pushnumber(state, all.first);
  lua_pushnumber(state, all.second);
  return 3;
}

// bench_progress(name, n, rounds)
int bench_progress(lua_State* state) {
  desk_of(state).bench_progress(text_at(state, 1), luaL_checknumber(state, 2), number_at(state, 3));
  return 0;
}

// bench_result(name, n, ns, bytes, allocations, fastest, slowest)
int bench_result(lua_State* state) {
  TestDesk::Measured measured;
  measured.name = text_at(state, 1);
  measured.n = static_cast<std::int64_t>(luaL_checknumber(state, 2));
  measured.ns = luaL_checknumber(state, 3);
  measured.bytes = luaL_checknumber(state, 4);
  measured.allocations = luaL_checknumber(state, 5);
  measured.fastest = luaL_checknumber(state, 6);
  measured.slowest = luaL_checknumber(state, 7);
  desk_of(state).bench_result(measured);
  return 0;
}

// bench_failed(name, message)
int bench_failed(lua_State* state) {
  desk_of(state).bench_failed(text_at(state, 1), text_at(state, 2));
  return 0;
}

// test_desk() -> the functions above; nothing where no tests are run.
int test_desk(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"open_app", open_app},
                                            {"close_app", close_app},
                                            {"address", address},
                                            {"open_client", open_client},
                                            {"close_client", close_client},
                                            {"send", send},
                                            {"answer", answer},
                                            {"exchange", exchange},
                                            {"part", part},
                                            {"advance", advance},
                                            {"begin_test", begin_test},
                                            {"end_test", end_test},
                                            {"allocated", allocated},
                                            {"clock", clock},
                                            {"meet", meet},
                                            {"bench_progress", bench_progress},
                                            {"bench_result", bench_result},
                                            {"bench_failed", bench_failed},
                                            {nullptr, nullptr}};
  if (!Vm::of(state).settings().tests) {
    return 0;
  }
  lua_newtable(state);
  luaL_register(state, nullptr, kFunctions);
  return 1;
}

}  // namespace

void bind_test(lua_State* state) {
  lua_pushcfunction(state, test_desk);
  lua_setfield(state, -2, "test_desk");
}

}  // namespace perigee::script
