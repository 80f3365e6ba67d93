#include "script/safepoint_gaps.h"

#include <catch2/catch.hpp>

using namespace perigee::script;
using Known = Safepoint::Known;

TEST_CASE("safepoint gaps: nothing is said of a LuaJIT that is known") {
  constexpr Known kAll{true, true, true, true};
  CHECK(gap_warnings(kAll).empty());
  CHECK(gap_remarks(kAll).empty());
}

TEST_CASE("safepoint gaps: each part that is unknown is told by itself, with what follows") {
  struct Case {
    Known known;
    std::string warns;
    bool concerns_profiles;
  };
  const Case cases[] = {{{false, true, true, true}, "limits.cpu and the budgets of memory can't stop", true},
                        {{true, false, true, true}, "neither the garbage collector nor", true},
                        {{true, true, false, true}, "limits.vm_memory_most", false},
                        {{true, true, true, false}, "the line after theirs", true}};
  for (const Case& one : cases) {
    CAPTURE(one.warns);
    const std::vector<std::string> warnings = gap_warnings(one.known);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find(one.warns) != std::string::npos);
    CHECK(gap_remarks(one.known).size() == (one.concerns_profiles ? 1 : 0));
  }
  CHECK(gap_warnings({}).size() == 4);
}
