#include "script/trace_exit.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <string>

#include "script/safepoint.h"

using perigee::script::Safepoint;
using perigee::script::TraceExit;

namespace {

lua_State* main_state = nullptr;
int touched = 0;
int line = 0;
bool is_before = false;

void look(lua_State* running) {
  lua_Debug level;
  if (lua_getstack(running, 0, &level) != 0 && lua_getinfo(running, "l", &level) != 0) {
    line = level.currentline;
  }
  is_before = TraceExit::is_before_line(main_state);
}

// Asks for a look from within compiled code, once.
double touch() {
  if (++touched == 500) {
    REQUIRE(Safepoint::state(main_state) > 0);
    Safepoint::nudge(main_state);
  }
  return 1;
}

// The line in a compiled loop's body that calls touch() is the fourth.
void run(const std::string& body) {
  TraceExit::calibrate();
  Safepoint::on_look(look);
  main_state = luaL_newstate();
  touched = line = 0;
  luaL_openlibs(main_state);
  Safepoint::prepare(main_state);
  const std::string code = "local touch = require('ffi').cast('double (*)(void)', (...))\nlocal t, x = {}, 0\n" + body;
  REQUIRE(luaL_loadstring(main_state, code.c_str()) == 0);
  lua_pushlightuserdata(main_state, reinterpret_cast<void*>(&touch));
  REQUIRE(lua_pcall(main_state, 1, 0, 0) == 0);
  lua_close(main_state);
  Safepoint::on_look(nullptr);
}

}  // namespace

TEST_CASE("trace exit: a line that ends without a store is gone back to") {
  run("for i = 1, 1000 do\nx = x + touch()\nx = x * 2\nend");
  CHECK(line == 4);
  CHECK_FALSE(is_before);
}

TEST_CASE("trace exit: a line that ends with a store has been left for the next") {
  run("for i = 1, 1000 do\nt.a = touch()\nt.b = i\nend");
  CHECK(line == 5);
  CHECK(is_before);
}

TEST_CASE("trace exit: so has the last line of a loop") {
  run("for i = 1, 1000 do\nt[i] = touch()\nend");
  CHECK(line == 3);
  CHECK(is_before);
}

TEST_CASE("trace exit: a line behind one with a store is itself") {
  run("for i = 1, 1000 do t.a = i\nx = x + touch()\nx = x * 2\nend");
  CHECK(line == 4);
  CHECK_FALSE(is_before);
}

TEST_CASE("trace exit: compiled code is told from what is interpreted, below a function in C too") {
  static bool compiled_interprets = true;
  static bool interpreted_interprets = false;
  TraceExit::calibrate();
  main_state = luaL_newstate();
  luaL_openlibs(main_state);
  Safepoint::prepare(main_state);
  lua_pushlightuserdata(main_state, reinterpret_cast<void*>(+[] {
                          if (Safepoint::state(main_state) > 0) {
                            compiled_interprets = TraceExit::interprets(main_state);
                          }
                        }));
  lua_setglobal(main_state, "compiled");
  lua_register(main_state, "interpreted", [](lua_State* state) {
    interpreted_interprets = TraceExit::interprets(state);
    return 0;
  });
  const char* const code =
      "local look = require('ffi').cast('void (*)(void)', compiled) for i = 1, 1000 do look() end interpreted()";
  REQUIRE(luaL_dostring(main_state, code) == 0);
  CHECK_FALSE(compiled_interprets);
  CHECK(interpreted_interprets);
  lua_close(main_state);
}
