#include "script/safepoint.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <lua.hpp>
#include <string>

using perigee::script::Safepoint;

namespace {

lua_State* main_state = nullptr;
int calls = 0;

void end_it(lua_State* state, lua_Debug*) {
  ++calls;
  luaL_error(state, "reached");
}

void count(lua_State* state, lua_Debug*) {
  ++calls;
  Safepoint::disarm(state, nullptr, 0, 0);
}

// A VM in which a signal, sent in 30 ms of processor time, arms `hook`.
class Reached {
 public:
  explicit Reached(Safepoint::Hook hook) : state_(luaL_newstate()) {
    static Safepoint::Hook wanted;
    wanted = hook;
    calls = 0;
    main_state = state_;
    luaL_openlibs(state_);
    Safepoint::prepare(state_);
    struct sigaction action {};
    action.sa_handler = [](int) { static_cast<void>(Safepoint::arm(main_state, wanted)); };
    sigaction(SIGVTALRM, &action, &before_);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGVTALRM;
    timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_);
    const itimerspec soon{{0, 0}, {0, 30'000'000}};
    timer_settime(timer_, 0, &soon, nullptr);
  }
  ~Reached() {
    timer_delete(timer_);
    sigaction(SIGVTALRM, &before_, nullptr);
    lua_close(state_);
  }
  Reached(const Reached&) = delete;
  Reached& operator=(const Reached&) = delete;

  std::string run(const char* code) {
    if (luaL_dostring(state_, code) == 0) {
      return "ended";
    }
    return lua_tostring(state_, -1);
  }

 private:
  lua_State* state_;
  timer_t timer_{};
  struct sigaction before_ {};
};

}  // namespace

TEST_CASE("safepoint: this LuaJIT is a known one") {
  const Safepoint::Known& known = Safepoint::calibrate();
  CHECK(known.interrupt);
  CHECK(known.state);
  CHECK(known.collector);
  CHECK(known.instruction);
}

TEST_CASE("safepoint: loops without an end are reached, compiled or not") {
  const auto* code =
      GENERATE("while true do end", "repeat until false", "for i = 1, 1e18 do end",
               "local s = 0 for i = 1, 1e18 do s = s + i * i end", "local function f() return f() end f()",
               "local t = {} while true do t[1] = 1 end", "local t while true do t = { t and t[1] } end",
               "local x repeat x = ('x'):rep(100) until x == ''",
               "local a = require('ffi').new('int[4]') while true do a[1] = a[1] + 1 end", "::again:: goto again",
               "local co = coroutine.wrap(function() while true do end end) co()");
  CAPTURE(code);
  for (const std::string mode : {"", "jit.off() "}) {
    Reached vm(end_it);
    CHECK(vm.run((mode + code).c_str()).find("reached") != std::string::npos);
    CHECK(calls == 1);
  }
}

TEST_CASE("safepoint: finalizers are reached, and hooks of the program") {
  for (const auto* code : {"local p = newproxy(true) getmetatable(p).__gc = function() while true do end end p = nil "
                           "collectgarbage() collectgarbage()",
                           "debug.sethook(function() while true do end end, '', 1) for i = 1, 1e9 do end"}) {
    CAPTURE(code);
    Reached vm(end_it);
    CHECK(vm.run(code).find("reached") != std::string::npos);
    CHECK(calls == 1);
  }
}

TEST_CASE("safepoint: what is reached goes on when the hook is taken back") {
  Reached vm(count);
  CHECK(vm.run("local s = 0 for i = 1, 1e8 do s = s + i % 3 end assert(s == 1e8)") == "ended");
  CHECK(calls == 1);
}

TEST_CASE("safepoint: a step back tells what has just ended, in a coroutine too") {
  REQUIRE(Safepoint::calibrate().instruction);
  static int before = 0;
  static int at = 0;
  lua_State* state = luaL_newstate();
  luaL_openlibs(state);
  const auto line = [](lua_State* running) {
    lua_Debug level;
    return lua_getstack(running, 0, &level) != 0 && lua_getinfo(running, "l", &level) != 0 ? level.currentline : 0;
  };
  static const auto line_of = line;
  lua_sethook(
      state,
      [](lua_State* running, lua_Debug* event) {
        if (event->currentline == 4) {
          at = line_of(running);
          const Safepoint::StepBack back(running);
          before = line_of(running);
        }
      },
      LUA_MASKLINE, 0);
  REQUIRE(luaL_dostring(
              state, "return coroutine.wrap(function()\n local a = 1\n a = os.time()\n a = 2\n return a\nend)()") == 0);
  CHECK(at == 4);
  CHECK(before == 3);
  CHECK(lua_tointeger(state, -1) == 2);
  lua_close(state);
}

TEST_CASE("safepoint: an error may be raised in a native function, but not in a finalizer or in compiled code") {
  static bool raises;
  static lua_State* main;
  const lua_CFunction look = [](lua_State*) {
    raises = Safepoint::raises(main);
    return 0;
  };
  main = luaL_newstate();
  luaL_openlibs(main);
  Safepoint::prepare(main);
  lua_pushcfunction(main, look);
  lua_call(main, 0, 0);
  CHECK(raises);
  lua_newuserdata(main, 1);
  lua_newtable(main);
  lua_pushcfunction(main, look);
  lua_setfield(main, -2, "__gc");
  lua_setmetatable(main, -2);
  lua_settop(main, 0);
  lua_gc(main, LUA_GCCOLLECT, 0);
  CHECK_FALSE(raises);
  raises = true;
  REQUIRE(luaL_loadstring(
              main, "local look = require('ffi').cast('void (*)(void)', (...)) for _ = 1, 500 do look() end") == 0);
  lua_pushlightuserdata(main, reinterpret_cast<void*>(+[] { raises = Safepoint::raises(main); }));
  lua_call(main, 1, 0);
  CHECK_FALSE(raises);
  lua_close(main);
}

TEST_CASE("safepoint: where an error may be raised for want of memory, it is one") {
  REQUIRE(Safepoint::calibrate().collector);
  struct Memory {
    lua_State* main = nullptr;
    bool scarce = false;
    int given = 0;    // where no error may be raised
    int refused = 0;  // where it may
  };
  const lua_Alloc allocate = [](void* context, void* block, std::size_t, std::size_t size) -> void* {
    auto& memory = *static_cast<Memory*>(context);
    if (size == 0) {
      std::free(block);
      return nullptr;
    }
    if (memory.scarce && block == nullptr && size >= (std::size_t{1} << 18)) {
      const bool raises = Safepoint::raises(memory.main);
      ++(raises ? memory.refused : memory.given);
      if (raises) {
        return nullptr;
      }
    }
    return std::realloc(block, size);
  };
  // Strings, of which there are ever more, each made by `make` some calls deep: their table grows where one is made.
  constexpr const char* kStrings = R"(
    jit.off()
    local scarce = ...
    local kept = {}
    for i = 1, 2e5 do kept[i] = false end
    local function fill(make) for i = 1, 2e5 do kept[i] = make(i) end end
    local function deep(depth, make)
      if depth == 0 then fill(make) return end
      deep(depth - 1, make)
      return depth
    end
    local makers = {
      function(i) return tostring(i) end,
      function(i) local ok, text = pcall(tostring, i) return ok and text or error(text, 0) end,
      function(i) return i .. "." end,
      function(i) return string.char(i % 256, i / 256 % 256, i / 65536) end,
      function(i) return (("x"):rep(i % 7) .. i):upper() end,
      function(i) return coroutine.wrap(tostring)(-i) end,
    }
    scarce(true)
    for _, make in ipairs(makers) do
      for depth = 0, 20, 5 do
        local ok, err = pcall(deep, depth, make)
        assert(ok or err == "not enough memory", err)
        for i = 1, 2e5 do kept[i] = false end
        collectgarbage()
      end
    end
    scarce(false))";
  Memory memory;
  lua_State* const state = memory.main = lua_newstate(allocate, &memory);
  luaL_openlibs(state);
  REQUIRE(luaL_loadstring(state, kStrings) == 0);
  lua_pushlightuserdata(state, &memory);
  lua_pushcclosure(
      state,
      [](lua_State* inner) {
        static_cast<Memory*>(lua_touserdata(inner, lua_upvalueindex(1)))->scarce = lua_toboolean(inner, 1) != 0;
        return 0;
      },
      1);
  const int status = lua_pcall(state, 1, 0, 0);
  CHECK(status == 0);
  CHECK(std::string(status == 0 ? "" : lua_tostring(state, -1)) == "");
  CHECK(memory.given > 0);
  CHECK(memory.refused > 0);
  lua_close(state);
}
