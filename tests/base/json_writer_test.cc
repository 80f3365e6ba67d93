#include "base/json_writer.h"

#include <catch2/catch.hpp>
#include <cmath>

using perigee::JsonWriter;

TEST_CASE("json writer: commas stand between members and items, and nowhere else") {
  JsonWriter json;
  json.begin_object().member("a", 1).key("b").begin_array().value(true).value("x").begin_array().end_array();
  json.begin_object().end_object().end_array().member("c", std::string("[{:,"));
  json.key("d").begin_object().member("e", -2).end_object().member("f", 0.5).end_object();
  CHECK(json.text() == R"({"a":1,"b":[true,"x",[],{}],"c":"[{:,","d":{"e":-2},"f":0.5})");
}

TEST_CASE("json writer: text is escaped, in names too") {
  JsonWriter json;
  json.begin_object().member("\"\n", "</script>\x01\xff").end_object();
  CHECK(json.text() == "{\"\\\"\\n\":\"</script>\\u0001\\ufffd\"}");
}

TEST_CASE("json writer: what is no number is written as one") {
  JsonWriter json;
  json.begin_array().value(std::nan("")).value(HUGE_VAL).value(1e-9).value(UINT64_MAX).value(1234567.0).end_array();
  CHECK(json.text() == "[0,0,1e-09,18446744073709551615,1234567]");
}
