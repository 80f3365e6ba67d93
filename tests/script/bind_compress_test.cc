#include "vm_fixture.h"

namespace {

// What a handler with this body answers; `core` is there.
std::string answered(const std::string& code) {
  LoadedVm loaded("local core = require 'perigee.core' app:get('/', function() " + code + " end)");
  return answer_to(loaded, get("/"));
}

}  // namespace

TEST_CASE("core.choose_coding: names what the client gets") {
  CHECK(answered("return tostring(core.choose_coding('gzip, br', true, true))") == "200 br");
  CHECK(answered("return tostring(core.choose_coding('gzip, br', true, false))") == "200 gzip");
  CHECK(answered("return tostring(core.choose_coding('deflate', true, true))") == "200 nil");
  CHECK(answered("return tostring(pcall(core.choose_coding, nil, true, true))") == "200 false");
}

TEST_CASE("core.compress: gives other bytes, of a coding and a level that there is") {
  CHECK(answered(
            "local c = core.compress('gzip', 6, ('x'):rep(5000)) return tostring(#c < 60) .. c:byte(1) .. c:byte(2)") ==
        "200 true31139");
  CHECK(answered("return tostring(#core.compress('br', 5, ('x'):rep(5000)) < 40)") == "200 true");
  const auto wrong =
      GENERATE(values<std::string>({"'gzip', 0, 'x'", "'gzip', 10, 'x'", "'br', -1, 'x'", "'br', 12, 'x'",
                                    "'zip', 5, 'x'", "'gzip', 'x', 'x'", "'gzip', 5, {}"}));
  CHECK(answered("return tostring(pcall(core.compress, " + wrong + "))") == "200 false");
}

TEST_CASE("core.compressor: takes parts until the last") {
  CHECK(answered("local c = core.compressor('gzip', 5) local a = core.compressor_write(c, 'one', false)"
                 " local b = core.compressor_write(c, '', true) return tostring(#a > 10 and #b > 8)") == "200 true");
  CHECK(answered("local c = core.compressor('br', 0) core.compressor_write(c, '', true)"
                 " return (select(2, pcall(core.compressor_write, c, 'x', false)):match('the body has ended'))") ==
        "200 the body has ended");
  CHECK(answered("return tostring(pcall(core.compressor_write, io.stdout, '', true))") == "200 false");
  CHECK(answered("core.compressor('br', 11) core.compressor('gzip', 9) collectgarbage() return 'freed'") ==
        "200 freed");
}
