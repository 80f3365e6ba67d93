#include "files/folder_listing.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "../server/scratch.h"

using perigee::files::list_public;

TEST_CASE("folder listing: names of what may be served, and of nothing else") {
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path("sub/inner"));
  (void)scratch.file("b", "");
  (void)scratch.file("a", "");
  (void)scratch.file(".hidden", "");
  (void)scratch.file("sub/c", "");
  std::filesystem::create_symlink("a", scratch.path("link"));
  REQUIRE(::mkfifo(scratch.path("fifo").c_str(), 0600) == 0);
  std::vector<std::string> names;
  REQUIRE(list_public(scratch.path(""), "", 100, names));
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"a", "b", "sub/"});
  names.clear();
  REQUIRE(list_public(scratch.path(""), "sub", 1, names));
  CHECK(names.size() == 1);
  for (const char* path : {"..", "none", "a", "link", ".hidden", "sub/", "sub/../.."}) {
    CHECK_FALSE(list_public(scratch.path(""), path, 100, names));
  }
}
