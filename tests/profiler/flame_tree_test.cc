#include "profiler/flame_tree.h"

#include <catch2/catch.hpp>

#include "sample_profile.h"

using namespace perigee::profiler;

TEST_CASE("flame tree: stacks of all workers are merged from the outside") {
  CHECK(
      write_flame_tree(sample_profile(), 0) ==
      R"({"type":"samples","unit":"count","total":4,"duration":1000000000,"comments":[],"root":{"name":"all","value":4,)"
      R"("children":[{"name":"Worker::serve","kind":"native","value":4,"children":[)"
      R"({"name":"handler","kind":"lua","file":"app.lua","line":3,"value":3},)"
      R"({"name":"handler","kind":"lua","file":"app.lua","line":4,"value":1,"children":[)"
      R"({"name":"[garbage collection]","kind":"state","value":1}]}]}]}})");
}

TEST_CASE("flame tree: an empty profile is an empty root, and comments are told") {
  Profile profile(std::vector<ValueType>{{"cpu", "nanoseconds"}});
  profile.comments = {"3 samples were lost", "\"x\""};
  CHECK(write_flame_tree(profile, 0) ==
        R"({"type":"cpu","unit":"nanoseconds","total":0,"duration":0,"comments":["3 samples were lost","\"x\""],)"
        R"("root":{"name":"all","value":0}})");
}

TEST_CASE("flame tree: hostile names stay within their strings") {
  Profile profile(counts());
  const std::uint32_t frame = profile.frame({"\"}]<\x01\xff", "a\n\"b", 1, 1, FrameKind::kLua});
  profile.add(std::vector<std::uint32_t>{frame}, 0, std::vector<std::int64_t>{1});
  CHECK(write_flame_tree(profile, 0).find(R"("name":"\"}]<\u0001\ufffd","kind":"lua","file":"a\n\"b")") !=
        std::string::npos);
}
