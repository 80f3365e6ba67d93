#include "profiler/profile.h"

#include <catch2/catch.hpp>

#include "sample_profile.h"

using namespace perigee::profiler;

TEST_CASE("profile: equal stacks with equal labels are one sample") {
  const Profile profile = sample_profile();
  REQUIRE(profile.samples().size() == 3);
  CHECK(profile.samples()[0].values == std::vector<std::int64_t>{2, 20'000'000});
  CHECK(profile.samples()[1].values == std::vector<std::int64_t>{1, 10'000'000});
}

TEST_CASE("profile: a frame has one id, and another one for each thing in which it differs") {
  Profile profile(counts());
  const Frame frame{"f", "a.lua", 3, 1, FrameKind::kLua};
  const std::uint32_t id = profile.frame(frame);
  CHECK(profile.frame(frame) == id);
  for (const Frame& other :
       {Frame{"g", "a.lua", 3, 1, FrameKind::kLua}, Frame{"f", "b.lua", 3, 1, FrameKind::kLua},
        Frame{"f", "a.lua", 4, 1, FrameKind::kLua}, Frame{"f", "a.lua", 3, 2, FrameKind::kLua},
        Frame{"f", "a.lua", 3, 1, FrameKind::kBuiltin}, Frame{"fa", ".lua", 3, 1, FrameKind::kLua}}) {
    CHECK(profile.frame(other) != id);
  }
  CHECK(profile.frames().size() == 7);
}

TEST_CASE("profile: labels keep their order, and no label is the first set") {
  Profile profile(counts());
  CHECK(profile.labels({}) == 0);
  const std::uint32_t set = profile.labels({{"a", "1"}, {"b", "2"}});
  CHECK(profile.labels({{"a", "1"}, {"b", "2"}}) == set);
  CHECK(profile.labels({{"b", "2"}, {"a", "1"}}) != set);
  CHECK(profile.labels({{"a", "1b"}, {"", "2"}}) != set);
}

TEST_CASE("profile: an empty stack is a stack") {
  Profile profile(counts());
  profile.add({}, 0, std::vector<std::int64_t>{5});
  REQUIRE(profile.samples().size() == 1);
  CHECK(profile.samples()[0].stack.empty());
}

TEST_CASE("profile: each kind of frame has a word") {
  CHECK(word_of(FrameKind::kLua) == "lua");
  CHECK(word_of(FrameKind::kBuiltin) == "builtin");
  CHECK(word_of(FrameKind::kNative) == "native");
  CHECK(word_of(FrameKind::kState) == "state");
  CHECK(word_of(FrameKind::kWait) == "wait");
}
