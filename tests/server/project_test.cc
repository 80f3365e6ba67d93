#include "server/project.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "scratch.h"

namespace fs = std::filesystem;
using perigee::server::make_project;
using perigee::server::project_files;

TEST_CASE("project: every file is written as it is carried") {
  const Scratch scratch;
  const std::string folder = scratch.path("a/new/one");
  REQUIRE(make_project(folder));
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    count += entry.is_regular_file() ? 1 : 0;
  }
  CHECK(count == project_files().size());
  for (const auto& file : project_files()) {
    INFO(file.path);
    CHECK(Scratch::read(folder + "/" + std::string(file.path)) == file.text);
    CHECK_FALSE(file.text.empty());
  }
}

TEST_CASE("project: it carries what lies in lua/project and the annotations") {
  const auto carried = [](const std::string& path) {
    return std::any_of(project_files().begin(), project_files().end(), [&](const auto& f) { return f.path == path; });
  };
  const fs::path source = PERIGEE_SOURCE_DIR "/lua/project";
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    if (entry.is_regular_file()) {
      INFO(entry.path());
      CHECK(carried(fs::relative(entry.path(), source).string()));
    }
  }
  CHECK(carried(".perigee/meta/perigee.lua"));
}

TEST_CASE("project: an empty folder is taken, and no other") {
  const Scratch scratch;
  const std::string folder = scratch.path("folder");
  fs::create_directory(folder);
  REQUIRE(make_project(folder));
  const auto again = make_project(folder);
  REQUIRE_FALSE(again);
  CHECK(again.error().message == "'" + folder + "' is not empty: name a new folder");
}

TEST_CASE("project: what can't be made is said") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "x");
  CHECK(make_project(file).error().message == "'" + file + "' is there already, and no folder");
  CHECK(make_project(file + "/below").error().message.find("can't be made: ") != std::string::npos);
  CHECK(make_project("").error().message == "a project needs a folder");
}
