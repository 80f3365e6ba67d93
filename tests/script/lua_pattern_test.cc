#include "script/lua_pattern.h"

#include <catch2/catch.hpp>
#include <lua.hpp>
#include <memory>
#include <string>

using perigee::script::pattern_mistake;

namespace {

using State = std::unique_ptr<lua_State, decltype(&lua_close)>;

State new_state() {
  State state(luaL_newstate(), lua_close);
  luaL_openlibs(state.get());
  return state;
}

// What string.find raises; empty where it raises nothing.
std::string raised(lua_State* state, const std::string& text, const std::string& pattern) {
  lua_getglobal(state, "string");
  lua_getfield(state, -1, "find");
  lua_pushlstring(state, text.data(), text.size());
  lua_pushlstring(state, pattern.data(), pattern.size());
  const std::string message = lua_pcall(state, 2, 0, 0) == 0 ? "" : lua_tostring(state, -1);
  lua_settop(state, 0);
  return message;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

}  // namespace

TEST_CASE("lua pattern: a mistake is named as LuaJIT names it where a text leads there") {
  const State state = new_state();
  const auto [pattern, mistake] = GENERATE(table<std::string, std::string>({
      {"a%", "malformed pattern (ends with '%')"},
      {"a[", "malformed pattern (missing ']')"},
      {"[]", "malformed pattern (missing ']')"},
      {"[^]", "malformed pattern (missing ']')"},
      {"[%]", "malformed pattern (missing ']')"},
      {"a%f", "missing '[' after '%f' in pattern"},
      {"%f[a", "malformed pattern (missing ']')"},
      {"a%bx", "unbalanced pattern"},
      {"a(", "unfinished capture"},
      {"(a)%1(", "unfinished capture"},
      {"a.)", "invalid pattern capture"},
      {"(%1)", "invalid capture index"},
      {"a%0", "invalid capture index"},
      {repeated("(a)", 33), "too many captures"},
  }));
  CHECK(pattern_mistake(pattern) == mistake);
  CHECK(raised(state.get(), std::string(40, 'a'), pattern) == mistake);
}

TEST_CASE("lua pattern: what LuaJIT takes is taken") {
  for (const char* pattern : {"", "a", ")", "]", "^a.*b$", "[]]", "[^]]", "[%]]", "[a-]", "()%1", "(a)%1", "%bxy",
                              "%f[%w]a", "((a)(b))%3", "a-", "%%", "%]", "^", "$"}) {
    CHECK(pattern_mistake(pattern) == "");
  }
  CHECK(pattern_mistake(repeated("(a)", 32)) == "");
  CHECK(pattern_mistake(std::string_view(".\0(", 3)) == "");
}

TEST_CASE("lua pattern: LuaJIT finds no other mistake in any short pattern") {
  constexpr std::string_view kLetters = "a%()[]^1bf";
  constexpr int kCount = 10'000;  // of four letters each
  const State state = new_state();
  int wrong = 0;
  for (int number = 0; number < kCount; ++number) {
    std::string pattern;
    for (int rest = number, i = 0; i < 4; ++i, rest /= 10) {
      pattern += kLetters[static_cast<std::size_t>(rest % 10)];
    }
    for (std::size_t size = 1; size <= pattern.size(); ++size) {
      const std::string part = pattern.substr(0, size);
      for (const char* text : {"", "aaaa", "ba1f%(a)[b]^"}) {
        const std::string message = raised(state.get(), text, part);
        wrong += message.empty() || message == pattern_mistake(part) ? 0 : 1;
      }
    }
  }
  CHECK(wrong == 0);
}
