#include "script/json_table.h"

#include <lua.hpp>
#include <string>

#include "script/json_encoder.h"
#include "vm_fixture.h"

using perigee::script::JsonEncoder;
using perigee::script::JsonLimits;
using perigee::script::RawTable;

namespace {

LoadedVm& shared_vm() {
  static LoadedVm loaded("");
  return loaded;
}

// Leaves what a chunk of Lua returns on the stack.
void run(lua_State* state, const std::string& code) {
  const std::string chunk = "local perigee = require 'perigee' local null, array = perigee.null, perigee.array " + code;
  if (luaL_loadstring(state, chunk.c_str()) != 0) {
    lua_error(state);
  }
  lua_call(state, 0, 1);
}

// What is written of the table on top of the stack; "gave up" where it is left to JsonEncoder.
std::string written(lua_State* state, const JsonLimits& limits = {64, JsonEncoder::kMaxSize}) {
  REQUIRE(RawTable::is_known());
  perigee::BufferPool blocks;
  perigee::ByteBuffer out(blocks);
  out.append(">");
  const bool done =
      perigee::script::write_json_table(RawTable::at(state, -1), shared_vm().vm->json_marks(), limits, out);
  REQUIRE((done || out.readable() == ">"));
  return done ? std::string(out.readable().substr(1)) : "gave up";
}

std::string written(const std::string& source, const JsonLimits& limits = {64, JsonEncoder::kMaxSize}) {
  std::string result;
  shared_vm().in_lua([&](lua_State* state) {
    run(state, "return " + source);
    result = written(state, limits);
  });
  return result;
}

}  // namespace

TEST_CASE("json table: what most tables are is written") {
  const auto [source, json] = GENERATE(table<std::string, std::string>({
      {"{}", "{}"},
      {"array {}", "[]"},
      {"array { 1 }", "[1]"},
      {"{ true, false, null, 'text', '', -1.5, 12345678 }", R"([true,false,null,"text","",-1.5,12345678])"},
      {"{ a = { b = { { c = 'd' } } } }", R"({"a":{"b":[{"c":"d"}]}})"},
      {"{ ['a\"\\n'] = '\\1\\\\ \\195\\164' }", R"({"a\"\n":"\u0001\\ )"
                                                "\xc3\xa4\"}"},
      {"{ {}, {}, array {}, {{{{{{{{}}}}}}}} }", "[{},{},[],[[[[[[[{}]]]]]]]]"},
      {"setmetatable({ 'raw' }, { __index = function() error('never') end })", R"(["raw"])"},
      {"(function() local t = { 1, 2, 3 } t[3] = nil return t end)()", "[1,2]"},
      {"(function() local t = { a = 1, b = 2 } t.a = nil return t end)()", R"({"b":2})"},
      {"(function() local t = {} for i = 1, 9 do t[#t + 1] = i end return t end)()", "[1,2,3,4,5,6,7,8,9]"},
      {"(function() local t = { 1 } t[1] = nil return t end)()", "{}"},
  }));
  CHECK(written(source) == json);
}

TEST_CASE("json table: what is unusual or wrong is left to the encoder") {
  const std::string source = GENERATE(values<std::string>({
      "{ print }",
      "{ f = print }",
      "{ 0/0 }",
      "{ n = 1/0 }",
      "{ 1, nil, 3 }",
      "{ [0] = 0 }",
      "{ [0] = 0, 1 }",
      "{ [2] = 1 }",
      "{ [1.5] = 1 }",
      "{ 1, a = 2 }",
      "{ a = 1, [true] = 2 }",
      "array { a = 1 }",
      "{ a = { '\\255' } }",
      "{ ['\\255'] = 1 }",
      "{ io.stdout }",
      "{ coroutine.create(print) }",
      "{ 1LL }",
      "(function() local t = {} t[1] = t return t end)()",
      "(function() local t = {} t.a = { { b = t } } return t end)()",
      "(function() local t = { x = 1 } t.x = nil t[1] = 1 return t end)()",
  }));
  CHECK(written(source) == "gave up");
}

TEST_CASE("json table: tables nest as deep as allowed, and texts are as large") {
  CHECK(written("{ { { 1 } } }", {3, 100}) == "[[[1]]]");
  CHECK(written("{ { { 1 } } }", {2, 100}) == "gave up");
  CHECK(written("{ ('x'):rep(5) }", {1, 10}) == R"(["xxxxx"])");
  CHECK(written("{ ('x'):rep(6) }", {1, 10}) == "gave up");
  CHECK(written("(function() local t = {} for i = 1, 60 do t = { t, t } end return t end)()") == "gave up");
}

TEST_CASE("json table: a buffer that grows while it is written into keeps what was written") {
  for (const std::size_t size : {1, 200, 250, 255, 256, 500, 4000, 16383, 16384, 100000}) {
    const std::string text(size, 'x');
    const std::string source = "('x'):rep(" + std::to_string(size) + ")";
    CHECK(written("{ { " + source + " }, { '\\n', 1, true }, { {} } }") ==
          "[[\"" + text + "\"],[\"\\n\",1,true],[{}]]");
    CHECK(written("{ [" + source + "] = { " + source + " .. '\"' } }") == "{\"" + text + "\":[\"" + text + "\\\"\"]}");
  }
  CHECK(written("(function() local t = 1 for i = 1, 64 do t = { t } end return t end)()") ==
        std::string(64, '[') + "1" + std::string(64, ']'));
  std::string list;
  for (int i = 1; i <= 20000; ++i) {
    list += (i > 1 ? "," : "") + std::to_string(i);
  }
  CHECK(written("(function() local t = {} for i = 1, 20000 do t[i] = i end return t end)()") == "[" + list + "]");
}

TEST_CASE("json table: whatever it writes is what the encoder writes step by step") {
  shared_vm().in_lua([](lua_State* state) {
    run(state, R"(
      local random, floor = math.random, math.floor
      math.randomseed(42)
      local function text()
        local bytes = {}
        for i = 1, random(0, 20) do bytes[i] = string.char(random(20) == 1 and random(0, 127) or random(97, 122)) end
        return table.concat(bytes)
      end
      local value
      local function made(depth)
        local t, shape = random(12) == 1 and array {} or {}, random(4)
        for i = 1, random(0, 12) do
          local key = shape == 1 and text() or shape == 2 and i or shape == 3 and "key" .. i or i + random(0, 1)
          t[key] = value(depth)
        end
        while random(3) == 1 and next(t) do t[next(t)] = nil end
        return t
      end
      function value(depth)
        local kind = random(depth > 3 and 6 or 8)
        return kind == 1 and random(-1e6, 1e6) or kind == 2 and random() * 2 ^ random(-60, 60) or kind == 3 and true
          or kind == 4 and (random(2) == 1 and null) or kind > 6 and made(depth + 1) or text()
      end
      return function() return made(1) end)");
    int alike = 0;
    const int top = lua_gettop(state);
    for (int i = 0; i < 5000; ++i) {
      lua_pushvalue(state, -1);
      lua_call(state, 0, 1);
      const std::string straight = written(state);
      perigee::BufferPool blocks;
      perigee::ByteBuffer out(blocks);
      const bool done = JsonEncoder(state, out, 64).encode_stepwise(-1);
      if (straight != "gave up") {
        REQUIRE(done);
        REQUIRE(straight == out.readable());
        ++alike;
      }
      lua_settop(state, top);  // a failed walk leaves what it was at
    }
    CHECK(alike > 1000);
  });
}
