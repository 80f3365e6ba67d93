#include "script/call_counter.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <string>

#include "script/lua_allocator.h"

using namespace perigee::script;

namespace {

class Counted {
 public:
  Counted() : state_(lua_newstate(&LuaAllocator::allocate, &allocator_)) { luaL_openlibs(state_); }
  ~Counted() { lua_close(state_); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  std::string run(const char* code) {
    CallCounter counter(state_);
    counter.begin();
    const bool ok = luaL_loadbuffer(state_, code, std::char_traits<char>::length(code), "@app.lua") == 0 &&
                    lua_pcall(state_, 0, 0, 0) == 0;
    counter.end();
    return ok ? counter.text() : lua_tostring(state_, -1);
  }
  lua_State* state() { return state_; }

 private:
  LuaAllocator allocator_;
  lua_State* state_;
};

// A column of the line that begins with `start`.
std::string column(const std::string& text, const std::string& start, int number) {
  std::size_t at = text.find(start);
  REQUIRE(at != std::string::npos);
  for (; number > 0; --number) {
    at = text.find('\t', at) + 1;
  }
  return text.substr(at, text.find_first_of("\t\n", at) - at);
}

}  // namespace

TEST_CASE("call counter: calls of Lua and C functions are counted, also those the compiler would take") {
  Counted vm;
  const std::string text = vm.run(
      "local function inner(i) return i + 1 end\n"
      "local x = 0\n"
      "for i = 1, 500 do x = inner(x) end\n"
      "for i = 1, 20 do string.rep('a', i) end\n");
  CHECK(column(text, "@app.lua\t1\t", 5) == "500");
  CHECK(column(text, "=[C]\t0\trep\t", 5) == "20");
}

TEST_CASE("call counter: what a function allocates is its own, and so is its time") {
  Counted vm;
  const std::string text = vm.run(
      "local function idle() end\n"
      "local function fill()\n"
      "  local kept = {}\n"
      "  for i = 1, 2000 do\n"
      "    kept[i] = { i }\n"
      "  end\n"
      "end\n"
      "idle()\n"
      "fill()\n");
  CHECK(std::stoll(column(text, "@app.lua\t2\t", 4)) > 2000 * 64);
  CHECK(column(text, "@app.lua\t1\t", 4) == "0");
  CHECK(std::stoll(column(text, "@app.lua\t2\t", 3)) > std::stoll(column(text, "@app.lua\t1\t", 3)));
}

TEST_CASE("call counter: the VM is as it was once it ends") {
  Counted vm;
  static_cast<void>(vm.run("local x = 1"));
  CHECK(lua_gethook(vm.state()) == nullptr);
  CHECK(lua_getallocf(vm.state(), nullptr) == &LuaAllocator::allocate);
}
