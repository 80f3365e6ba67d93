#include "server/access_targets.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "scratch.h"

using perigee::server::AccessTargets;

TEST_CASE("access targets: each is opened once and found by its name") {
  const Scratch scratch;
  AccessTargets targets;
  CHECK(targets.find(scratch.path("a.log")) == nullptr);
  REQUIRE(targets.open(scratch.path("a.log")));
  auto* const writer = targets.find(scratch.path("a.log"));
  REQUIRE(writer != nullptr);
  REQUIRE(targets.open(scratch.path("a.log")));
  CHECK(targets.find(scratch.path("a.log")) == writer);
  REQUIRE(targets.open(scratch.path("b.log")));
  CHECK(targets.find(scratch.path("b.log")) != writer);
  targets.stop();
}

TEST_CASE("access targets: off opens nothing") {
  AccessTargets targets;
  CHECK(targets.open("off"));
  CHECK(targets.find("off") == nullptr);
}

TEST_CASE("access targets: one that cannot be opened is an error that names the option") {
  const Scratch scratch;
  AccessTargets targets;
  const auto opened = targets.open(scratch.path("none/a.log"));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.starts_with("log.access: cannot open the log '" + scratch.path("none/a.log") + "'"));
  CHECK(targets.find(scratch.path("none/a.log")) == nullptr);
}

TEST_CASE("access targets: after a rename and reopen lines go to the new file, and stop writes the last") {
  const Scratch scratch;
  AccessTargets targets;
  REQUIRE(targets.open(scratch.path("a.log")));
  std::filesystem::rename(scratch.path("a.log"), scratch.path("a.log.1"));
  targets.reopen();
  std::string lines = "a line\n";
  targets.find(scratch.path("a.log"))->submit(lines);
  targets.stop();
  CHECK(Scratch::read(scratch.path("a.log")) + Scratch::read(scratch.path("a.log.1")) == "a line\n");
  CHECK(std::filesystem::exists(scratch.path("a.log")));
}
