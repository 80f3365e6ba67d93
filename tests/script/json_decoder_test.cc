#include "script/json_decoder.h"

#include <cmath>

#include "script/json_encoder.h"
#include "vm_fixture.h"

using perigee::script::decode_json;

namespace {

LoadedVm& shared_vm() {
  static LoadedVm loaded("");
  return loaded;
}

// What `text` means to Lua: the expression `show(value)` of it, or the error in parentheses.
std::string decoded(const std::string& text, int depth = 64) {
  std::string result;
  shared_vm().in_lua([&](lua_State* state) {
    const int top = lua_gettop(state);
    std::string error;
    if (!decode_json(state, text, {depth, 0}, error)) {
      CHECK(lua_gettop(state) == top);
      result = "(" + error + ")";
      return;
    }
    CHECK(lua_gettop(state) == top + 1);
    perigee::BufferPool blocks;
    perigee::ByteBuffer out(blocks);
    perigee::script::JsonEncoder encoder(state, out, 256);
    result = encoder.encode(-1) ? std::string(out.readable()) : encoder.error();
  });
  return result;
}

double number(const std::string& text) {
  double value = NAN;
  shared_vm().in_lua([&](lua_State* state) {
    std::string error;
    REQUIRE(decode_json(state, text, {1, 0}, error));
    REQUIRE(lua_type(state, -1) == LUA_TNUMBER);
    value = lua_tonumber(state, -1);
  });
  return value;
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("json decoder: what it reads is written the same again") {
  const std::string json = GENERATE(values<std::string>({
      "null",
      "true",
      "false",
      "[]",
      "{}",
      R"("")",
      R"("\u0000")",
      "[[],{},[[]]]",
      "[null,null]",
      R"({"a":null})",
      R"({"a":{"b":[1,2,{"c":"d"}]}})",
      R"(["a\"b\\c\n"])",
      "[9007199254740992,-9007199254740992]",
      "[0.1,1e+21,5e-324,1.7976931348623157e+308]",
  }));
  CHECK(decoded(json) == json);
}

TEST_CASE("json decoder: white space is passed over and escapes are resolved") {
  const auto [text, json] = GENERATE(table<std::string, std::string>({
      {" \t\r\n[ 1 , 2 ]\n", "[1,2]"},
      {R"("\u00e4\u20ac\ud83c\udf19\/")", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x99/\""},
      {R"("\b\f\n\r\t")", R"("\b\f\n\r\t")"},
      {"\"\xf0\x9f\x8c\x99\"", "\"\xf0\x9f\x8c\x99\""},
      {"-0", "0"},
      {"1E2", "100"},
      {"1.0", "1"},
  }));
  CHECK(decoded(text) == json);
}

TEST_CASE("json decoder: of equal keys the last counts") {
  CHECK(decoded(R"({"a":1,"a":2})") == R"({"a":2})");
  CHECK(decoded(R"({"a":1,"\u0061":null})") == R"({"a":null})");
}

TEST_CASE("json decoder: numbers are doubles, read exactly") {
  const auto [text, value] = GENERATE(table<std::string, double>({
      {"0", 0},
      {"-1", -1},
      {"9007199254740991", 9007199254740991.0},
      {"9007199254740992", 9007199254740992.0},
      {"9223372036854775807", 9223372036854775807.0},
      {"18446744073709551615", 18446744073709551615.0},
      {"18446744073709551616", 18446744073709551616.0},
      {"-9223372036854775808", -9223372036854775808.0},
      {"0.1", 0.1},
      {"1e-400", 0},
      {"1.7976931348623157e308", 1.7976931348623157e308},
      {"2.2250738585072011e-308", 2.2250738585072011e-308},
      {"123456789012345678901234567890", 123456789012345678901234567890.0},
  }));
  CHECK(number(text) == value);
}

TEST_CASE("json decoder: what is no JSON is an error that says at which byte") {
  const auto [text, byte] = GENERATE(table<std::string, int>({
      {"", 1},
      {"  ", 3},
      {"nul", 4},
      {"True", 1},
      {"[1,]", 4},
      {"[1 2]", 4},
      {"{\"a\" 1}", 6},
      {"{\"a\":1,}", 8},
      {"{a:1}", 2},
      {"{'a':1}", 2},
      {"[1] x", 5},
      {"1 2", 3},
      {"// c\n1", 1},
      {"/* c */ 1", 1},
      {"NaN", 1},
      {"-", 2},
      {"+1", 1},
      {".5", 1},
      {"1.", 3},
      {"1e", 3},
      {"0x10", 2},
      {"[", 2},
      {"\xef\xbb\xbf"
       "1",
       1},
  }));
  const std::string error = decoded(text);
  REQUIRE(error.front() == '(');
  CHECK(error.ends_with(" at byte " + std::to_string(byte) + ")"));
  CHECK(error.find('.') == std::string::npos);
}

TEST_CASE("json decoder: strings that RFC 8259 or UTF-8 forbid are errors") {
  const std::string text = GENERATE(values<std::string>({
      "\"",
      "\"a",
      "\"\n\"",
      "\"\t\"",
      std::string("\"\0\"", 3),
      R"("\x41")",
      R"("\u12")",
      R"("\ud800")",
      R"("\ud800\u0041")",
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "\"\xf4\x90\x80\x80\"",
      "{\"\xff\":1}",
      "01",
      "1e400",
      "-1e400",
  }));
  INFO(text);
  CHECK(decoded(text).front() == '(');
}

TEST_CASE("json decoder: containers nest as deep as allowed, and no deeper") {
  CHECK(decoded(nested(4), 4) == nested(4));
  CHECK(decoded(nested(5), 4) == "(nested deeper than 4 levels at byte 5)");
  CHECK(decoded(R"({"a":{"b":[]}})", 2).starts_with("(nested deeper than 2 levels at byte "));
  CHECK(decoded("[[],[],[]]", 2) == "[[],[],[]]");
  CHECK(decoded("1", 0) == "1");
}

TEST_CASE("json decoder: a bomb of brackets is an error, not a crash") {
  CHECK(decoded(std::string(1'000'000, '['), 64) == "(nested deeper than 64 levels at byte 65)");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += "{\"a\":";
  }
  CHECK(decoded(objects, 64).starts_with("(nested deeper than 64 levels"));
}

TEST_CASE("json decoder: an escaped low surrogate without its high one is an error") {
  CHECK(decoded(R"("\udc00")").front() == '(');
  CHECK(decoded(R"(["\ud83c\udf19\udf19"])").front() == '(');
}

TEST_CASE("json decoder: the integers next to the exact ones are not taken for them") {
  const double exact = 9007199254740992;
  CHECK(number("9007199254740992") == exact);
  CHECK(number("-9007199254740992") == -exact);
  CHECK(number("9007199254740993") > exact);
  CHECK(number("-9007199254740993") < -exact);
  CHECK(number("18446744073709551615") == 18446744073709551616.0);
}

TEST_CASE("json decoder: a NUL ends nothing") {
  using namespace std::string_literals;
  CHECK(decoded("[1]\0x"s) == "(Invalid value at byte 4)");
  CHECK(decoded("[1]\0"s) == "(Invalid value at byte 4)");
  CHECK(decoded("\"a\0b\""s) == "(Invalid value at byte 3)");
  CHECK(decoded("\"a\\u0000b\"") == "\"a\\u0000b\"");
  CHECK(decoded("") == "(The document is empty at byte 1)");
}

TEST_CASE("json decoder: containers of any size keep all their values") {
  for (const int count : {0, 1, 15, 16, 17, 33, 1000}) {
    std::string array = "[";
    std::string object = "{";
    for (int i = 0; i < count; ++i) {
      const std::string comma = i == 0 ? "" : ",";
      array += comma + std::to_string(i);
      object += comma + "\"k" + std::to_string(i) + "\":[" + std::to_string(i) + "]";
    }
    array += "]";
    object += "}";
    CHECK(decoded(array) == array);
    shared_vm().in_lua([&](lua_State* state) {
      std::string error;
      REQUIRE(decode_json(state, object, {64, 0}, error));
      for (int i = 0; i < count; ++i) {
        lua_getfield(state, -1, ("k" + std::to_string(i)).c_str());
        REQUIRE(lua_istable(state, -1));
        lua_rawgeti(state, -1, 1);
        CHECK(lua_tonumber(state, -1) == i);
        lua_pop(state, 2);
      }
    });
  }
}

TEST_CASE("json decoder: what stands beside an escape is read the same") {
  for (const char* value : {"0",
                            "-0",
                            "-0.0",
                            "-1",
                            "12345",
                            "1.5",
                            "-0.001",
                            "1e3",
                            "1E-3",
                            "2.5e+10",
                            "123456789012345",
                            "1234567890123456",
                            "0.1234567",
                            "0.12345678901234567",
                            "12345678.1234567",
                            "1e400",
                            "-1e400",
                            "1e-400",
                            "01",
                            "-",
                            "1.",
                            ".5",
                            "1e",
                            "00",
                            "-01",
                            "1.5.2",
                            "--1",
                            "1-1",
                            "true",
                            "false",
                            "null",
                            "tru",
                            "nul",
                            "[]",
                            "{}",
                            "[1,]",
                            "[,1]",
                            "[1 2]",
                            "{\"a\":1,}",
                            "{\"a\"}",
                            "{1:2}",
                            "{\"a\":{\"b\":[{},[],[[]]]}}",
                            " [ 1 , { \"a\" : 2 } ] ",
                            "\"\"",
                            "\"0123456789abcdef\"",
                            "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
                            "\"\xc3\xa4\xe2\x82\xac\"",
                            "\"\xc3\"",
                            "\"\xed\xa0\x80\"",
                            "\"a\x01\"",
                            "\"a\tb\"",
                            "\"a",
                            "x"}) {
    const std::string plain = decoded("[\"A\"," + std::string(value) + "]");
    const std::string escaped = decoded("[\"\\u0041\"," + std::string(value) + "]");
    INFO(value);
    CHECK(plain.substr(0, plain.find(" at byte")) == escaped.substr(0, escaped.find(" at byte")));
  }
}

TEST_CASE("json decoder: of equal keys the last counts, however many stand before it") {
  std::string text = "{";
  for (int i = 0; i < 40; ++i) {
    text += "\"k" + std::to_string(i % 3) + "\":" + std::to_string(i) + ",";
  }
  shared_vm().in_lua([&](lua_State* state) {
    std::string error;
    REQUIRE(decode_json(state, text + "\"k0\":\"last\"}", {64, 0}, error));
    lua_getfield(state, -1, "k0");
    CHECK(std::string(lua_tostring(state, -1)) == "last");
    lua_getfield(state, -2, "k2");
    CHECK(lua_tonumber(state, -1) == 38);
  });
}
