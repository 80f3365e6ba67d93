#include "files/file_cache.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>

#include "../server/scratch.h"

using perigee::files::FileCache;

namespace {

std::string content(FileCache& cache, const Scratch& scratch, const std::string& path, perigee::Milliseconds now) {
  const auto found = cache.find(scratch.path(""), path, false, now);
  return found.files == nullptr ? "error " + std::to_string(found.error) : std::string(found.files->plain->content());
}

}  // namespace

TEST_CASE("file cache: a change shows once an entry is no longer fresh") {
  const Scratch scratch;
  FileCache cache({});
  (void)scratch.file("a", "one");
  CHECK(content(cache, scratch, "a", 1000) == "one");
  (void)scratch.file("new", "other");
  std::filesystem::rename(scratch.path("new"), scratch.path("a"));
  CHECK(content(cache, scratch, "a", 1999) == "one");
  CHECK(content(cache, scratch, "a", 2000) == "other");
  CHECK(cache.size() == 1);
  CHECK(cache.memory() == 5);
  std::filesystem::remove(scratch.path("a"));
  CHECK(content(cache, scratch, "a", 3000) == "error " + std::to_string(ENOENT));
  CHECK(cache.size() == 0);
  CHECK(cache.memory() == 0);
}

TEST_CASE("file cache: an entry that did not change is the same file") {
  const Scratch scratch;
  FileCache cache({});
  (void)scratch.file("a", "one");
  const auto* first = cache.find(scratch.path(""), "a", false, 0).files->plain.get();
  CHECK(cache.find(scratch.path(""), "a", false, 5000).files->plain.get() == first);
}

TEST_CASE("file cache: the least recently used go when there are too many, or too many bytes") {
  const Scratch scratch;
  FileCache::Limits limits;
  limits.files = 2;
  limits.memory = 10;
  FileCache cache(limits);
  (void)scratch.file("a", "aaaa");
  (void)scratch.file("b", "bbbb");
  (void)scratch.file("c", "cccc");
  (void)scratch.file("large", std::string(11, 'x'));
  (void)content(cache, scratch, "a", 0);
  (void)content(cache, scratch, "b", 0);
  (void)content(cache, scratch, "a", 0);
  (void)content(cache, scratch, "c", 0);
  CHECK(cache.size() == 2);
  CHECK(cache.memory() == 8);
  CHECK(content(cache, scratch, "large", 0) == std::string(11, 'x'));
  CHECK(cache.size() == 2);
  limits.files = 0;
  cache.set_limits(limits);
  CHECK(cache.size() == 0);
  CHECK(content(cache, scratch, "a", 0) == "aaaa");
  CHECK(cache.size() == 0);
}

TEST_CASE("file cache: a large file's descriptor closes with the last who sends it") {
  const Scratch scratch;
  FileCache::Limits limits;
  limits.small = 1;
  FileCache cache(limits);
  (void)scratch.file("a", "aaaa");
  const auto open = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = open();
  auto sent = cache.find(scratch.path(""), "a", false, 0).files->plain;
  CHECK(open() == before + 1);
  limits.files = 0;
  cache.set_limits(limits);
  CHECK(open() == before + 1);
  sent.reset();
  CHECK(open() == before);
}

TEST_CASE("file cache: neighbours are found, but for older ones, and noticed when they come") {
  const Scratch scratch;
  FileCache cache({});
  const std::string path = scratch.file("a.js", "plain");
  (void)scratch.file("a.js.br", "br");
  const std::string gzip = scratch.file("a.js.gz", "gz");
  std::filesystem::last_write_time(gzip, std::filesystem::last_write_time(path) - std::chrono::hours(1));
  const auto* found = cache.find(scratch.path(""), "a.js", true, 0).files;
  REQUIRE(found != nullptr);
  REQUIRE(found->brotli != nullptr);
  CHECK(found->brotli->content() == "br");
  CHECK(found->gzip == nullptr);
  CHECK(cache.memory() == 7);
  std::filesystem::last_write_time(gzip, std::filesystem::last_write_time(path) + std::chrono::hours(1));
  CHECK(cache.find(scratch.path(""), "a.js", true, 2000).files->gzip->content() == "gz");
  CHECK(cache.find(scratch.path(""), "a.js", false, 2000).files->gzip == nullptr);
}
