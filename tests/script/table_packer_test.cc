#include "script/table_packer.h"

#include "vm_fixture.h"

using perigee::script::TablePacker;
using perigee::script::unpack_table;

namespace {

// Packs what the expression gives and unpacks it again; then `check` is run with `t`, or the error is returned.
std::string packed(const std::string& expression, const std::string& check = "return true") {
  LoadedVm loaded("_G.perigee = perigee\nnull = perigee.null\narray = perigee.array");
  std::string bytes;
  std::string said;
  loaded.in_lua([&](lua_State* state) {
    if (luaL_dostring(state, ("return " + expression).c_str()) != 0) {
      lua_error(state);
    }
    TablePacker packer(state, bytes);
    if (!packer.pack(-1)) {
      said = packer.error();
      return;
    }
    unpack_table(state, bytes);
    lua_setglobal(state, "t");
    if (luaL_dostring(state, check.c_str()) != 0) {
      lua_error(state);
    }
    said = lua_toboolean(state, -1) != 0 ? "as it was" : "otherwise";
  });
  return said;
}

}  // namespace

TEST_CASE("table packer: a table comes out as it went in") {
  const auto [expression, check] = GENERATE(table<const char*, const char*>({
      {"{}", "return type(t) == 'table' and next(t) == nil"},
      {"{ 1, -2.5, 'three', true, false }",
       "return #t == 5 and t[1] == 1 and t[2] == -2.5 and t[3] == 'three' and t[4] == true and t[5] == false"},
      {"{ 2^31 - 1, -2^31, 2^31, 2^53, 1/0, -1/0 }",
       "return t[1] == 2^31 - 1 and t[2] == -2^31 and t[3] == 2^31 and t[4] == 2^53 and t[5] == 1/0 and t[6] == -1/0"},
      {"{ 0/0, -0 * 1 }", "return t[1] ~= t[1] and 1 / t[2] < 0"},
      {"{ '', 'a\\0b', [''] = 'empty' }", "return t[1] == '' and t[2] == 'a\\0b' and t[''] == 'empty'"},
      {"{ [0] = 'a', [1.5] = 'b', [-1] = 'c', [true] = 'd', [3] = 'hole' }",
       "return t[0] == 'a' and t[1.5] == 'b' and t[-1] == 'c' and t[true] == 'd' and t[3] == 'hole' and t[1] == nil"},
      {"{ null, x = null }", "return t[1] == null and t.x == null"},
      {"{ a = { b = { { 'deep' } } } }", "return t.a.b[1][1] == 'deep'"},
      {"array {}", "return perigee.encode(t) == '[]'"},
      {"{ array { 1 }, {} }", "return perigee.encode(t) == '[[1],{}]'"},
      {"setmetatable({ 1 }, { __index = { x = 1 } })", "return t[1] == 1 and t.x == nil"},
      {"(function() local u = { 1 } return { u, u } end)()", "return t[1] ~= t[2] and t[1][1] == t[2][1]"},
  }));
  CAPTURE(expression);
  CHECK(packed(expression, check) == "as it was");
}

TEST_CASE("table packer: what can't be kept is named with its place") {
  const auto [expression, said] = GENERATE(table<const char*, const char*>({
      {"{ print }", "a function at $[1]"},
      {"{ a = { [2] = print } }", "a function at $.a[2]"},
      {"{ coroutine.create(print) }", "a coroutine at $[1]"},
      {"{ [true] = print }", "a function at $[true]"},
      {"{ io.stdout }", "a userdata at $[1]"},
      {"{ [{}] = 1 }", "a key that is no string, number or boolean at $"},
      {"(function() local u = {} u.u = { u } return u end)()", "a cycle at $.u[1]"},
      {"{ ('x'):rep(2^20):rep(65), 1 }", "more than 64 MiB at $"},
  }));
  CAPTURE(expression);
  CHECK_THAT(packed(expression), Catch::StartsWith(said));
}

TEST_CASE("table packer: 64 tables in each other are kept, one more is not") {
  const std::string nested = "(function() local u = {} for _ = 2, N do u = { u } end return u end)()";
  const auto with = [&](const std::string& depth) { return std::string(nested).replace(nested.find('N'), 1, depth); };
  CHECK(packed(with("64")) == "as it was");
  CHECK_THAT(packed(with("65")), Catch::StartsWith("a table nested too deep at $[1][1]"));
}
