#include "script/trace_places.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <map>
#include <string>

using perigee::script::TracePlaces;

namespace {

// A VM whose compiler is followed.
class Followed {
 public:
  Followed() : state_(luaL_newstate()) {
    luaL_openlibs(state_);
    lua_gc(state_, LUA_GCSTOP, 0);  // a function that is collected takes its traces with it
    places.watch(state_);
  }
  ~Followed() { lua_close(state_); }
  Followed(const Followed&) = delete;
  Followed& operator=(const Followed&) = delete;

  void run(const std::string& code) {
    REQUIRE(luaL_loadbuffer(state_, code.data(), code.size(), "@app.lua") == 0);
    REQUIRE(lua_pcall(state_, 0, 0, 0) == 0);
    places.update(state_);
  }

  // How many of LuaJIT's traces start at each line, as `places` has it; 0 stands for those that it does not know.
  std::map<int, int> lines() {
    std::map<int, int> found;
    for (const auto& [number, address] : code()) {
      const TracePlaces::Place* const start = places.start_of(number);
      ++found[start != nullptr ? start->line : 0];
    }
    return found;
  }

  // The traces that there are, and an address in the machine code of each.
  std::map<int, std::uintptr_t> code() {
    std::map<int, std::uintptr_t> found;
    luaJIT_setmode(state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    for (int number = 1; number < 100; ++number) {
      REQUIRE(luaL_loadstring(state_,
                              "local code, at = require('jit.util').tracemc(...) return code and at + #code - 1") == 0);
      lua_pushinteger(state_, number);
      lua_call(state_, 1, 1);
      if (lua_isnumber(state_, -1) != 0) {
        found[number] = static_cast<std::uintptr_t>(lua_tonumber(state_, -1));
      }
      lua_pop(state_, 1);
    }
    luaJIT_setmode(state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
    return found;
  }

  TracePlaces places;

 private:
  lua_State* state_;
};

}  // namespace

TEST_CASE("trace places: a loop's trace starts at the loop, and so do those at its exits") {
  Followed vm;
  vm.run("local x = 0\nfor i = 1, 1000 do\n  x = x + 1\n  if i % 3 == 0 then\n    x = x + 2\n  end\nend");
  CHECK(vm.code().size() > 1);
  CHECK(vm.lines() == std::map<int, int>{{2, static_cast<int>(vm.code().size())}});
  const TracePlaces::Place* const start = vm.places.start_of(1);
  REQUIRE(start != nullptr);
  CHECK(start->source == "@app.lua");
  CHECK(start->first_line == 0);
}

TEST_CASE("trace places: loops of each kind, and functions, start where they begin") {
  struct Case {
    const char* code;
    int line;
  };
  const auto& one = GENERATE(
      Case{"local i = 0\nwhile i < 500 do\n i = i + 1\nend", 2},
      Case{"local i = 0\nrepeat\n i = i + 1\nuntil i > 500", 2},
      Case{"local t = { 1, 2, 3 }\nlocal function each()\n for _, v in ipairs(t) do\n t[1] = v\n end\nend\n"
           "for _ = 1, 50 do each() each() each() each() end",
           3},
      Case{"local function fib(n)\n if n < 2 then return n end\n return fib(n - 1) + fib(n - 2)\nend\nfib(15)", 1});
  CAPTURE(one.code);
  Followed vm;
  vm.run(one.code);
  CHECK(vm.lines()[one.line] > 0);
}

TEST_CASE("trace places: what goes on after a call that is not compiled belongs to its loop") {
  Followed vm;
  vm.run("local x = 0\nfor i = 1, 1000 do\n  x = x + #string.format('%s', {})\n  x = x + i\nend");
  const auto lines = vm.lines();
  CHECK(lines.at(2) == static_cast<int>(vm.code().size()));
}

TEST_CASE("trace places: an address in machine code tells its trace, and others none") {
  Followed vm;
  vm.run("for i = 1, 1000 do local x = i % 3 == 0 and i or 2 end");
  REQUIRE(!vm.code().empty());
  for (const auto& [number, address] : vm.code()) {
    CHECK(vm.places.number_at(address) == number);
    CHECK(vm.places.may_hold(address));
  }
  CHECK(vm.places.number_at(0) == 0);
  CHECK(vm.places.number_at(reinterpret_cast<std::uintptr_t>(&vm)) == 0);
  CHECK_FALSE(vm.places.may_hold(reinterpret_cast<std::uintptr_t>(&vm)));
}

TEST_CASE("trace places: traces that are thrown away make room for others under their numbers") {
  Followed vm;
  vm.run("for i = 1, 1000 do local x = i end\nrequire('jit').flush()");
  vm.run("\n\n\nfor i = 1, 1000 do local x = i % 7 end");
  REQUIRE(vm.code().size() == 1);
  CHECK(vm.lines() == std::map<int, int>{{4, 1}});
  CHECK(vm.places.number_at(vm.code().begin()->second) == vm.code().begin()->first);
}

TEST_CASE("trace places: what the compiler gives up leaves nothing") {
  Followed vm;
  vm.run("local f\nfor i = 1, 1000 do f = function() return i end end");
  CHECK(vm.lines().count(2) == 0);
}
