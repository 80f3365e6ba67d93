#include "script/json_encoder.h"

#include "vm_fixture.h"

using perigee::script::JsonEncoder;

namespace {

// One VM is enough: an encoder leaves nothing behind.
LoadedVm& shared_vm() {
  static LoadedVm loaded("");
  return loaded;
}

// What the Lua expression `source` is as JSON, or the error in parentheses.
std::string encoded(const std::string& source, int depth = 64) {
  std::string result;
  shared_vm().in_lua([&](lua_State* state) {
    const std::string chunk =
        "local perigee = require 'perigee' local null, array = perigee.null, perigee.array "
        "local function nested(n) local t = {} for _ = 2, n do t = { t } end return t end "
        "return " +
        source;
    if (luaL_loadstring(state, chunk.c_str()) != 0) {
      lua_error(state);
    }
    lua_call(state, 0, 1);
    perigee::BufferPool blocks;
    perigee::ByteBuffer out(blocks);
    out.append(">");
    const int top = lua_gettop(state);
    JsonEncoder encoder(state, out, depth);
    result = encoder.encode(-1) ? std::string(out.readable().substr(1)) : "(" + encoder.error() + ")";
    lua_settop(state, top);  // a failed walk leaves what it was at
    out.truncate(1);
    JsonEncoder general(state, out, depth);
    const bool done = general.encode_stepwise(-1);
    CHECK(result == (done ? std::string(out.readable().substr(1)) : "(" + general.error() + ")"));
  });
  return result;
}

}  // namespace

TEST_CASE("json encoder: scalars are written as RFC 8259 has them") {
  const auto [source, json] = GENERATE(table<std::string, std::string>({
      {"true", "true"},
      {"false", "false"},
      {"null", "null"},
      {"''", R"("")"},
      {R"('a"b\\c\n')", R"("a\"b\\c\n")"},
      {R"('\0')", R"("\u0000")"},
      {"'</script>'", R"("</script>")"},
  }));
  CHECK(encoded(source) == json);
}

TEST_CASE("json encoder: integers within 2^53 are written whole, other numbers with the fewest digits that read back") {
  const auto [source, json] = GENERATE(table<std::string, std::string>({
      {"0", "0"},
      {"-0", "0"},
      {"-1", "-1"},
      {"1e3", "1000"},
      {"123456789", "123456789"},
      {"2^53 - 1", "9007199254740991"},
      {"2^53", "9007199254740992"},
      {"-2^53", "-9007199254740992"},
      {"2^53 + 2", "9007199254740994"},
      {"1e15", "1000000000000000"},
      {"1e21", "1e+21"},
      {"1e300", "1e+300"},
      {"0.1", "0.1"},
      {"-0.5", "-0.5"},
      {"1/3", "0.3333333333333333"},
      {"0.1 + 0.2", "0.30000000000000004"},
      {"5e-324", "5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
  }));
  CHECK(encoded(source) == json);
}

TEST_CASE("json encoder: a table is an array by its keys or its mark, else an object") {
  const auto [source, json] = GENERATE(table<std::string, std::string>({
      {"{}", "{}"},
      {"array {}", "[]"},
      {"array()", "[]"},
      {"{ 1 }", "[1]"},
      {"{ 1, 'b', true, null }", R"([1,"b",true,null])"},
      {"array { 1, 2 }", "[1,2]"},
      {"{ a = 1 }", R"({"a":1})"},
      {"{ [''] = {} }", R"({"":{}})"},
      {"{ ['1'] = 1 }", R"({"1":1})"},
      {"{ items = { { id = 1 }, array {} } }", R"({"items":[{"id":1},[]]})"},
      {"{ [1] = 'a', [2] = 'b' }", R"(["a","b"])"},
      {"setmetatable({ 1 }, { __index = function() error('asked') end })", "[1]"},
  }));
  CHECK(encoded(source) == json);
}

TEST_CASE("json encoder: a table that occurs twice but not within itself is written twice") {
  CHECK(encoded("(function() local t = { 1 } return { t, t } end)()") == "[[1],[1]]");
}

TEST_CASE("json encoder: what JSON lacks is an error that names the path") {
  const auto [source, error] = GENERATE(table<std::string, std::string>({
      {"0/0", "NaN at $"},
      {"1/0", "an infinite number at $"},
      {"{ n = -1/0 }", "an infinite number at $.n"},
      {"print", "a function at $"},
      {"nil", "nil at $"},
      {"coroutine.create(print)", "a coroutine at $"},
      {"io.stdout", "a userdata at $"},
      {"require('ffi').new('int64_t')", "a cdata value at $"},
      {"{ items = { 1, 2, { f = print } } }", "a function at $.items[3].f"},
      {"{ { { 0/0 } } }", "NaN at $[1][1][1]"},
      {"{ 1, nil, 3 }", "a table with a hole or mixed keys at $"},
      {"{ 1, 2, a = 3 }", "a table with a hole or mixed keys at $"},
      {"{ [1.5] = 1 }", "a table with a hole or mixed keys at $"},
      {"{ [0] = 1 }", "a table with a hole or mixed keys at $"},
      {"{ [2] = 1 }", "a table with a hole or mixed keys at $"},
      {"{ [-1] = 1, 1 }", "a table with a hole or mixed keys at $"},
      {"array { 1, a = 2 }", "a table with a hole or mixed keys at $"},
      {"array { a = 2 }", "a table with a hole or mixed keys at $"},
      {"{ x = { [true] = 1 } }", "a table with a key that is no string at $.x"},
      {"{ x = { [{}] = 1 } }", "a table with a key that is no string at $.x"},
      {"'\\255'", "a string that is not UTF-8 at $"},
      {"{ a = { '\\237\\160\\128' } }", "a string that is not UTF-8 at $.a[1]"},
      {"{ ['\\255k'] = 1 }", "a key that is not UTF-8 at $.\\xffk"},
      {"{ ['\\255'] = { print } }", "a key that is not UTF-8 at $.\\xff"},
  }));
  CHECK(encoded(source) == "(" + error + " can't be written as JSON)");
}

TEST_CASE("json encoder: a cycle is an error at the place that closes it") {
  const auto [source, error] = GENERATE(table<std::string, std::string>({
      {"(function() local t = {} t.me = t return t end)()", "a cycle at $.me"},
      {"(function() local t = {} t[1] = t return t end)()", "a cycle at $[1]"},
      {"(function() local t = {} t.a = { { b = t } } return t end)()", "a cycle at $.a[1].b"},
      {"(function() local t = {} t.a = t return { x = { t } } end)()", "a cycle at $.x[1].a"},
  }));
  CHECK(encoded(source) == "(" + error + " can't be written as JSON)");
}

TEST_CASE("json encoder: tables nest as deep as allowed, and no deeper") {
  CHECK(encoded("nested(4)", 4) == "[[[{}]]]");
  CHECK(encoded("nested(5)", 4) == "(a table nested too deep at $[1][1][1][1] can't be written as JSON)");
  CHECK(encoded("'scalar'", 0) == "\"scalar\"");
  CHECK(encoded("nested(256)", 256).size() == 255 * 2 + 2);
  CHECK(encoded("nested(257)", 256).starts_with("(a table nested too deep at $[1]"));
}

TEST_CASE("json encoder: output over 64 MiB is refused") {
  CHECK(encoded("(function() local s, t = ('x'):rep(2^20), {} for i = 1, 70 do t[i] = s end return t end)()") ==
        "(more than 64 MiB of JSON at $[65] can't be written as JSON)");
}

TEST_CASE("json encoder: the value may lie anywhere on the stack and stays alone") {
  shared_vm().in_lua([](lua_State* state) {
    lua_pushliteral(state, "first");
    lua_newtable(state);
    lua_pushliteral(state, "last");
    const int top = lua_gettop(state);
    perigee::BufferPool blocks;
    perigee::ByteBuffer out(blocks);
    CHECK(JsonEncoder(state, out, 8).encode(top - 1));
    CHECK(JsonEncoder(state, out, 8).encode(-1));
    CHECK(out.readable() == "{}\"last\"");
    CHECK(lua_gettop(state) == top);
  });
}
