#include "vm_fixture.h"

namespace {

// What a handler with this body answers.
std::string answered(const std::string& code) {
  LoadedVm loaded("local core = require 'perigee.core' app:get('/', function() " + code + " end)");
  return answer_to(loaded, get("/"));
}

}  // namespace

TEST_CASE("core.random: as many bytes as were asked for, never the same") {
  CHECK(answered("return #core.random(0) .. ' ' .. #core.random(33)") == "200 0 33");
  CHECK(answered("return tostring(core.random(16) == core.random(16))") == "200 false");
  CHECK(answered("return tostring(pcall(core.random, -1))") == "200 false");
  CHECK(answered("return tostring(pcall(core.random, 2^31))") == "200 false");
}

TEST_CASE("core.hmac: depends on key and text") {
  CHECK(answered("return #core.hmac('k', 't') .. tostring(core.hmac('k', 't') == core.hmac('k', 't'))") ==
        "200 32true");
  CHECK(answered("return tostring(core.hmac('k', 't') == core.hmac('l', 't'))") == "200 false");
}

TEST_CASE("core.process_key: every VM of the process has the same") {
  const std::string first = answered("return (core.process_key():gsub('.', function(c) return c:byte() .. ' ' end))");
  CHECK(first == answered("return (core.process_key():gsub('.', function(c) return c:byte() .. ' ' end))"));
  CHECK(answered("return tostring(#core.process_key())") == "200 32");
}
