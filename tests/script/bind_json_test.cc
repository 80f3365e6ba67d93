#include "vm_fixture.h"

namespace {

// What a handler with `code` in it answers.
std::string run(const std::string& code, const perigee::script::VmSettings& settings = {}) {
  LoadedVm loaded("app:get('/', function() " + code + " end)", settings);
  return answer_to(loaded, get("/"));
}

}  // namespace

TEST_CASE("perigee.encode: it returns the text of any value") {
  CHECK(run("return perigee.encode({ a = perigee.array { 1, perigee.null } })") == "200 {\"a\":[1,null]}");
  CHECK(run("return perigee.encode('x')") == "200 \"x\"");
}

TEST_CASE("perigee.encode: what can't be written raises an error that names the path") {
  CHECK(run("local ok, err = pcall(perigee.encode, { f = print }) return tostring(ok) .. err") ==
        "200 falsea function at $.f can't be written as JSON");
  CHECK(run("local ok, err = pcall(perigee.encode) return tostring(ok) .. err")
            .starts_with("200 falsebad argument #1 to '"));
}

TEST_CASE("perigee.decode: it returns the value, or nil and why there is none") {
  CHECK(run("return perigee.decode('[1,{\"a\":\"b\"}]')[2].a") == "200 b");
  CHECK(run("local v, err = perigee.decode('[1') return type(v) .. ' ' .. type(err)") == "200 nil string");
  CHECK(run("return tostring(perigee.decode('null') == perigee.null)") == "200 true");
  CHECK(run("return tostring(perigee.decode('false'))") == "200 false");
}

TEST_CASE("perigee.decode: an empty array stays one when it is encoded again") {
  CHECK(run("return perigee.decode('{\"a\":[],\"b\":{}}').a") == "200 []");
  CHECK(run("return perigee.decode('{\"b\":{}}').b") == "200 {}");
}

TEST_CASE("perigee.encode and decode: both stop at the depth that is configured") {
  perigee::script::VmSettings settings;
  settings.json_depth = 2;
  CHECK(run("local _, err = perigee.decode('[[[]]]') return err", settings) ==
        "200 nested deeper than 2 levels at byte 3");
  CHECK(run("return perigee.encode(perigee.decode('[[1]]'))", settings) == "200 [[1]]");
  CHECK(run("local _, err = pcall(perigee.encode, { { {} } }) return err", settings) ==
        "200 a table nested too deep at $[1][1] can't be written as JSON");
}

TEST_CASE("perigee.encode: called by a finalizer it leaves what is being encoded alone") {
  CHECK(run("local value = { ('y'):rep(50000) }"
            " local expected = perigee.encode(value)"
            " for _ = 1, 500 do"
            "  for _ = 1, 10 do getmetatable(newproxy(true)).__gc = function() perigee.encode { 'overwritten' } end end"
            "  if perigee.encode(value) ~= expected then return 'another text' end"
            " end"
            " return 'the same'") == "200 the same");
}
