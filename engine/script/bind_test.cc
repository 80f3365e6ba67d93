// What `perigee test` gives to files of tests: apps, clients, the clock, and a place for results.

#include <cmath>
#include <lua.hpp>
#include <utility>

#include "base/clock.h"
#include "script/bind.h"
#include "script/test_desk.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

TestDesk& desk_of(lua_State* state) {
  return *Vm::of(state).host().test_desk();
}

const char kAttendant = 0;  // its address is a registry key: the function that answers calls to upstreams

// Calls that function in `state`, which waits for an app: whether it did anything, and when there is more to do.
TestDesk::Attended attend(lua_State* state) {
  const int top = lua_gettop(state);
  TestDesk::Attended attended;
  if (lua_checkstack(state, 8) == 0) {
    return attended;
  }
  lua_pushlightuserdata(state, const_cast<char*>(&kAttendant));
  lua_rawget(state, LUA_REGISTRYINDEX);
  if (lua_pcall(state, 0, 2, 0) == 0) {
    attended.busy = lua_toboolean(state, -2) != 0;
    if (const double due = lua_tonumber(state, -1); due > 0 && due < 1e15) {
      attended.next = static_cast<Milliseconds>(std::ceil(due * 1e3));
    }
  }
  lua_settop(state, top);
  return attended;
}

/// While it lives, a test's upstreams are attended to in its stack.
class Attending {
 public:
  Attending(lua_State* state, TestDesk& desk) : desk_(desk.has_upstreams() ? &desk : nullptr) {
    if (desk_ != nullptr) {
      outer_ = desk_->attend_by([state] { return attend(state); });
    }
  }
  ~Attending() {
    if (desk_ != nullptr) {
      desk_->attend_by(std::move(outer_));
    }
  }
  Attending(const Attending&) = delete;
  Attending& operator=(const Attending&) = delete;

 private:
  TestDesk* desk_;
  TestDesk::Attendant outer_;
};

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
  const Attending attending(state, desk_of(state));
  return push_number(state, desk_of(state).open_app(request));
}

// close_app(number) -> true; or nil, what went wrong with its stop hooks.
int close_app(lua_State* state) {
  const Attending attending(state, desk_of(state));
  if (const Result<> closed = desk_of(state).close_app(number_at(state, 1)); !closed) {
    return push_failure(state, closed.error().message);
  }
  lua_pushboolean(state, 1);
  return 1;
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
  const double seconds = luaL_optnumber(state, 3, -1);
  const auto wanted = lua_toboolean(state, 2) != 0 ? TestDesk::Wanted::kWhole : TestDesk::Wanted::kHead;
  const Attending attending(state, desk);
  const bool in_time = desk.await(client, wanted, seconds);
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
  const Attending attending(state, desk);
  const bool in_time = desk.await(client, TestDesk::Wanted::kWhole, -1);
  return push_answer(state, desk.answer(client), in_time);
}

// part(client, seconds) -> what has come of the body since; nil at its end; or nil, "timeout" or "closed".
int part(lua_State* state) {
  TestDesk& desk = desk_of(state);
  const int client = number_at(state, 1);
  const double seconds = luaL_optnumber(state, 2, -1);
  const Attending attending(state, desk);
  const bool in_time = desk.await(client, TestDesk::Wanted::kPart, seconds);
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

// advance(seconds) -> whether the clock was moved all the way.
int advance(lua_State* state) {
  const double seconds = luaL_checknumber(state, 1);
  const Attending attending(state, desk_of(state));
  lua_pushboolean(state, desk_of(state).advance(seconds) ? 1 : 0);
  return 1;
}

// open_upstream(host, port) -> number; or nil, why not.
int open_upstream(lua_State* state) {
  return push_number(state, desk_of(state).open_upstream(text_at(state, 1), number_at(state, 2)));
}

int close_upstream(lua_State* state) {
  desk_of(state).close_upstream(number_at(state, 1));
  return 0;
}

// on_calls(fn): fn() answers what has come, whenever the test waits for an app, and returns whether it did anything and
// when there is more to do, on the clock of monotonic().
int on_calls(lua_State* state) {
  luaL_checktype(state, 1, LUA_TFUNCTION);
  lua_pushlightuserdata(state, const_cast<char*>(&kAttendant));
  lua_pushvalue(state, 1);
  lua_rawset(state, LUA_REGISTRYINDEX);
  return 0;
}

// next_call() -> upstream, connection, bytes (nil: the app has hung up); nothing where nothing has come.
int next_call(lua_State* state) {
  const auto call = desk_of(state).next_call();
  if (!call) {
    return 0;
  }
  lua_pushinteger(state, call->upstream);
  lua_pushinteger(state, call->connection);
  if (call->ended) {
    return 2;
  }
  push(state, call->bytes);
  return 3;
}

// answer_call(connection, bytes, last)
int answer_call(lua_State* state) {
  std::size_t size = 0;
  const int connection = number_at(state, 1);
  const char* bytes = luaL_checklstring(state, 2, &size);
  desk_of(state).answer_call(connection, {bytes, size}, lua_toboolean(state, 3) != 0);
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

// renew(): to clean up after the test that has failed has its time anew.
int renew(lua_State* state) {
  desk_of(state).renew();
  return 0;
}

// allocated() -> how many allocations, of how many bytes: by this VM and the apps'.
int allocated(lua_State* state) {
  const LuaAllocator::Counts counts = desk_of(state).allocated();
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
                                            {"open_upstream", open_upstream},
                                            {"close_upstream", close_upstream},
                                            {"on_calls", on_calls},
                                            {"next_call", next_call},
                                            {"answer_call", answer_call},
                                            {"begin_test", begin_test},
                                            {"end_test", end_test},
                                            {"renew", renew},
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
