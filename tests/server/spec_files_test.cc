#include "server/spec_files.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "scratch.h"

namespace fs = std::filesystem;
using perigee::server::spec_files;

namespace {

/// Who may read everything is somebody else while this lives.
class Nobody {
 public:
  Nobody() : own_(geteuid()) {
    if (own_ == 0) {
      REQUIRE(seteuid(65534) == 0);
    }
  }
  ~Nobody() { CHECK(seteuid(own_) == 0); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

 private:
  uid_t own_;
};

}  // namespace

TEST_CASE("spec files: folders are looked through, files taken as they are, none twice") {
  const Scratch scratch;
  const std::string root = scratch.path("t");
  fs::create_directories(root + "/deep/.hidden");
  for (const char* name : {"/b_spec.lua", "/deep/a_test.lua", "/deep/.hidden/c_spec.lua", "/other.lua"}) {
    (void)scratch.file(std::string("t") + name, "");
  }
  const auto found = spec_files({root, root + "/other.lua", root + "/b_spec.lua"}, {"_spec.lua", "_test.lua"});
  REQUIRE(found);
  CHECK(*found == std::vector<std::string>{root + "/b_spec.lua", root + "/deep/a_test.lua", root + "/other.lua"});
}

TEST_CASE("spec files: a folder that can't be read is named, unless nobody would look into it") {
  const Scratch scratch;
  const std::string root = scratch.path("t");
  fs::create_directories(root + "/.hidden");
  fs::create_directories(scratch.path("closed") + "/deep");
  (void)scratch.file("t/a_spec.lua", "");
  fs::permissions(scratch.path("."), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  fs::permissions(root + "/.hidden", fs::perms::none);
  fs::permissions(scratch.path("closed") + "/deep", fs::perms::none);
  const Nobody nobody;
  CHECK(spec_files({root}, {"_spec.lua"})->size() == 1);
  const auto found = spec_files({root, scratch.path("closed")}, {"_spec.lua"});
  REQUIRE_FALSE(found);
  CHECK(found.error().message == scratch.path("closed") + "/deep can't be read: Permission denied");
}

TEST_CASE("spec files: what is not there is named") {
  const Scratch scratch;
  const auto missing = spec_files({scratch.path("none")}, {"_spec.lua"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "there is no " + scratch.path("none"));
  fs::create_directories(scratch.path("empty"));
  const auto empty = spec_files({scratch.path("empty")}, {"_spec.lua", "_test.lua"});
  REQUIRE_FALSE(empty);
  CHECK(empty.error().message == "no files *_spec.lua or *_test.lua in " + scratch.path("empty"));
}
