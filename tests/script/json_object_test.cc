#include "script/json_object.h"

#include "script/json_decoder.h"
#include "vm_fixture.h"

using perigee::Slice;
using perigee::http::PathType;
using perigee::script::decode_json;
using perigee::script::JsonField;
using perigee::script::JsonKind;
using perigee::script::JsonValue;
using perigee::script::read_json_object;

namespace {

// What became of the members a, b (a slug) and long_name: "null", "true", "7.5", "'text'", "-" when absent; or "no".
std::string read(const std::string& json, int depth = 64) {
  static JsonField fields[] = {{Slice::of("a"), PathType::kString},
                               {Slice::of("b"), PathType::kSlug},
                               {Slice::of("long_name"), PathType::kNumber},
                               {}};
  JsonValue values[3];
  if (!read_json_object(json, depth, fields, 3, values)) {
    return "no";
  }
  std::string shown;
  for (const JsonValue& value : values) {
    char number[40];
    std::snprintf(number, sizeof number, "%.17g", value.number);
    const std::string kinds[] = {"-", "null", "false", "true", number, "'" + std::string(value.text.view()) + "'"};
    shown += (shown.empty() ? "" : " ") + kinds[static_cast<std::size_t>(value.kind)];
  }
  return shown;
}

bool decodes(const std::string& json) {
  static LoadedVm loaded("");
  bool decoded = false;
  loaded.in_lua([&](lua_State* state) {
    std::string error;
    decoded = decode_json(state, json, {64, 0}, error);
    lua_settop(state, 0);
  });
  return decoded;
}

}  // namespace

TEST_CASE("json object: its members are left side by side, of equal names the last") {
  CHECK(read("{}") == "- - -");
  CHECK(read(R"({"a":"x","b":"y-z","long_name":1.5})") == "'x' 'y-z' 1.5");
  CHECK(read(" {\t\"b\" : null ,\r\n \"a\" : true } ") == "true null -");
  CHECK(read(R"({"a":1,"a":false})") == "false - -");
  CHECK(read(R"({"a":"","other":[1,{"a":[]},"x"],"b":"z"})") == "'' 'z' -");
  CHECK(read("{\"a\":\"" + std::string(100, 'x') + "\xc3\xa4\xe2\x82\xac\"}") ==
        "'" + std::string(100, 'x') + "\xc3\xa4\xe2\x82\xac' - -");
}

TEST_CASE("json object: numbers are exact or left to the decoder") {
  CHECK(read(R"({"a":0,"long_name":-7})") == "0 - -7");
  CHECK(read(R"({"a":999999999999999,"long_name":1e3})") == "999999999999999 - 1000");
  CHECK(read(R"({"a":0.1,"long_name":-0.5E-2})") == "0.10000000000000001 - -0.0050000000000000001");
  CHECK(read(R"({"a":-0.0,"long_name":-1.5})") == "-0 - -1.5");
  CHECK(read(R"({"a":0.30000001,"long_name":-12345678.1234567})") == "0.30000000999999998 - -12345678.1234567");
  CHECK(read(R"({"a":97.5,"long_name":999999999.9999999})") == "97.5 - 999999999.99999988");
  for (const char* number :
       {"9007199254740993", "01", "-", "+1", ".5", "-.5", "1.", "01.5", "1.5.5", "1e", "1e999", "--1", "0x1", "1-1"}) {
    CHECK(read("{\"a\":" + std::string(number) + "}") == "no");
  }
}

TEST_CASE("json object: anything unusual is left to the decoder") {
  for (const char* json : {"",
                           "[]",
                           "null",
                           "7",
                           "\"a\"",
                           "{",
                           "}",
                           R"({"a")",
                           R"({"a":)",
                           R"({"a":1)",
                           R"({"a":1,})",
                           R"({"a":1}x)",
                           R"({"a":"x\n"})",
                           R"({"\u0061":1})",
                           R"({"a":{}})",
                           R"({"a":[]})",
                           R"({"b":"No Slug"})",
                           R"({"x":"\n"})",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":\"\xed\xa0\x80\"}",
                           R"({"a":tru})",
                           R"({a:1})",
                           R"({"x":[1,]})",
                           R"({"x":[1)"}) {
    INFO(json);
    CHECK(read(json) == "no");
  }
  CHECK(read(R"({"x":[[]]})", 3) == "- - -");
  CHECK(read(R"({"x":[[]]})", 2) == "no");
}

TEST_CASE("json object: it takes nothing that the decoder refuses") {
  const std::string good =
      "{\"a\":\"x \xc3\xa9\",\"b\":null , \"c\":[1,-2.5e3,{\"d\":[]}],\"long_name\":true, "
      "\"d\":\"0123456789abcdefghij\"}";
  REQUIRE(read(good) == "'x \xc3\xa9' null true");
  const std::string letters = "{}[]\",:\\x0-.eE+ \x01\xc3\xff";
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string without = good;
    without.erase(at, 1);
    CHECK((read(without) == "no" || decodes(without)));
    for (const char letter : letters) {
      std::string changed = good;
      changed[at] = letter;
      INFO(changed);
      CHECK((read(changed) == "no" || decodes(changed)));
    }
    CHECK((read(good.substr(0, at)) == "no" || decodes(good.substr(0, at))));
  }
}
