#include "files/served_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>

#include "../server/scratch.h"

using perigee::files::ServedFile;

namespace {

constexpr std::size_t kSmall = 100;

int error_of(const std::string& folder, const std::string& path) {
  const auto opened = ServedFile::open(folder, path, kSmall);
  return opened ? 0 : opened.error();
}

}  // namespace

TEST_CASE("served file: a small one is in memory, a large one open; both say what they are") {
  const Scratch scratch;
  const std::string small = scratch.file("small", "hello");
  const std::string large = scratch.file("large", std::string(kSmall, 'x'));
  const auto first = ServedFile::open("", small, kSmall);
  REQUIRE(first);
  CHECK((*first)->in_memory());
  CHECK((*first)->content() == "hello");
  CHECK((*first)->lines().find("Last-Modified: ") == 0);
  CHECK((*first)->lines().find(std::string("ETag: ") + std::string((*first)->etag()) + "\r\n") != std::string::npos);
  const auto second = ServedFile::open("", large, kSmall);
  REQUIRE(second);
  CHECK_FALSE((*second)->in_memory());
  char byte = 0;
  CHECK(::pread((*second)->descriptor(), &byte, 1, 0) == 1);
  CHECK((*second)->size() == kSmall);
}

TEST_CASE("served file: every change changes the tag, and another coding has another") {
  const Scratch scratch;
  const std::string path = scratch.file("f", "aaaaa");
  const auto tag = [&](std::string_view suffix = {}) {
    return std::string((*ServedFile::open("", path, kSmall, suffix))->etag());
  };
  const std::string first = tag();
  CHECK(first == tag());
  CHECK(first.front() == '"');
  CHECK(first.back() == '"');
  CHECK(tag(".br") != first);
  (void)scratch.file("other", "bbbbbb");
  std::filesystem::rename(scratch.path("other"), path);
  CHECK(tag() != first);
}

TEST_CASE("served file: nothing leads out of the folder") {
  const Scratch scratch;
  const std::string outside = scratch.file("secret", "secret");
  const std::string root = scratch.path("public");
  std::filesystem::create_directories(root + "/sub");
  (void)scratch.file("public/a", "a");
  std::filesystem::create_symlink(outside, root + "/absolute");
  std::filesystem::create_symlink("../secret", root + "/relative");
  std::filesystem::create_symlink("..", root + "/up");
  std::filesystem::create_symlink("a", root + "/inside");
  std::filesystem::create_symlink("loop", root + "/loop");
  CHECK(error_of(root, "a") == 0);
  CHECK(error_of(root, "inside") == 0);
  for (const char* path : {"../secret", "sub/../../secret", "absolute", "relative", "up/secret", "/etc/passwd"}) {
    CHECK(error_of(root, path) == EXDEV);
  }
  CHECK(error_of(root, "loop") == ELOOP);
  CHECK(error_of(root, "none") == ENOENT);
  CHECK(error_of(root, "a/b") == ENOTDIR);
  CHECK(error_of(root, std::string(300, 'x')) == ENAMETOOLONG);
  CHECK(error_of(root + "/none", "a") == ENOENT);
}

TEST_CASE("served file: folders, FIFOs and devices are none") {
  const Scratch scratch;
  REQUIRE(::mkfifo(scratch.path("fifo").c_str(), 0600) == 0);
  CHECK(error_of("", scratch.path("")) == EISDIR);
  CHECK(error_of("", scratch.path("fifo")) == ENOENT);
  CHECK(error_of("", "/dev/null") == ENOENT);
  CHECK(error_of("", "/proc/self/fd/0") != 0);
}

TEST_CASE("served file: an empty one is a file") {
  const Scratch scratch;
  const auto opened = ServedFile::open("", scratch.file("empty", ""), kSmall);
  REQUIRE(opened);
  CHECK((*opened)->content().empty());
}

TEST_CASE("served file: public paths have plain segments without a dot in front") {
  using perigee::files::is_public_path;
  for (const char* path : {"a", "a/b.c", "a..b", "b.", "a b", "\xc3\xa4", "a/b/c/d"}) {
    CHECK(is_public_path(path));
  }
  for (const std::string& path :
       {std::string(), std::string("."), std::string(".."), std::string("../a"), std::string("a/../b"),
        std::string(".env"), std::string("a/.git/config"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("a\\b"), std::string("a\0b", 3)}) {
    CHECK_FALSE(is_public_path(path));
  }
  CHECK(perigee::files::leads_upwards("a/../b"));
  CHECK(perigee::files::leads_upwards(".."));
  CHECK_FALSE(perigee::files::leads_upwards("a/..b/.c"));
  CHECK(perigee::files::leads_upwards(std::string("a\0", 2)));
}

TEST_CASE("served file: errors have a status") {
  using perigee::files::status_of_error;
  CHECK(status_of_error(ENOENT) == 404);
  CHECK(status_of_error(EXDEV) == 404);
  CHECK(status_of_error(EISDIR) == 404);
  CHECK(status_of_error(EACCES) == 403);
  CHECK(status_of_error(EMFILE) == 503);
  CHECK(status_of_error(EIO) == 500);
}
