#include "profiler/folded.h"

#include <catch2/catch.hpp>

#include "sample_profile.h"

using namespace perigee::profiler;

TEST_CASE("folded: a line a stack, the outermost frame first, sorted") {
  CHECK(write_folded(sample_profile(), 0) ==
        "worker-1;Worker::serve;handler app.lua:3 2\n"
        "worker-2;Worker::serve;handler app.lua:3 1\n"
        "worker-2;Worker::serve;handler app.lua:4;[garbage collection] 1\n");
}

TEST_CASE("folded: the values are those of the type asked for") {
  CHECK(write_folded(sample_profile(), 1).find("worker-1;Worker::serve;handler app.lua:3 20000000\n") == 0);
}

TEST_CASE("folded: no name breaks a line or a stack") {
  Profile profile(counts());
  const std::uint32_t frame = profile.frame({"a;b\nc", "x\r;.lua", 1, 1, FrameKind::kLua});
  profile.add(std::vector<std::uint32_t>{frame}, profile.labels({{"worker", "1;\n"}}), std::vector<std::int64_t>{1});
  CHECK(write_folded(profile, 0) == "1_?;a_b?c x?_.lua:1 1\n");
}

TEST_CASE("folded: stacks that only labels tell apart are one line") {
  Profile profile(counts());
  const std::vector<std::uint32_t> stack = {profile.frame({"f", "", 0, 0, FrameKind::kNative})};
  profile.add(stack, profile.labels({{"route", "GET /a"}}), std::vector<std::int64_t>{1});
  profile.add(stack, profile.labels({{"route", "GET /b"}}), std::vector<std::int64_t>{2});
  CHECK(write_folded(profile, 0) == "f 3\n");
}
