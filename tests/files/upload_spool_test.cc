#include "files/upload_spool.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "../server/scratch.h"

using perigee::files::UploadSpool;
namespace fs = std::filesystem;

namespace {

std::ptrdiff_t open_files() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

std::string content_of(const UploadSpool& spool, std::uint64_t offset = 0, std::size_t size = 1'000'000) {
  std::string bytes(size, '\0');
  const auto count = spool.read(offset, bytes.data(), size);
  REQUIRE(count);
  bytes.resize(*count);
  return bytes;
}

/// A spool of "0123456789", in memory or on disk.
UploadSpool filled(const Scratch& scratch, bool on_disk) {
  UploadSpool spool(scratch.path(""), on_disk ? 4 : 100);
  REQUIRE(spool.append("012345") == 0);
  REQUIRE(spool.append("6789") == 0);
  REQUIRE(spool.on_disk() == on_disk);
  return spool;
}

mode_t mode_of(const std::string& path) {
  struct stat found = {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

}  // namespace

TEST_CASE("upload spool: bytes up to the bound stay in memory, more go to a file without a name") {
  const Scratch scratch;
  const auto before = open_files();
  {
    UploadSpool spool(scratch.path(""), 4);
    REQUIRE(spool.append("0123") == 0);
    CHECK_FALSE(spool.on_disk());
    REQUIRE(spool.append("4") == 0);
    CHECK(spool.on_disk());
    REQUIRE(spool.append("56789") == 0);
    CHECK(spool.size() == 10);
    CHECK(content_of(spool) == "0123456789");
    CHECK(open_files() == before + 1);
    CHECK(fs::is_empty(scratch.path("")));
  }
  CHECK(open_files() == before);
}

TEST_CASE("upload spool: reads from anywhere, up to the end") {
  const bool on_disk = GENERATE(false, true);
  const Scratch scratch;
  const UploadSpool spool = filled(scratch, on_disk);
  CHECK(content_of(spool, 0, 3) == "012");
  CHECK(content_of(spool, 8, 3) == "89");
  CHECK(content_of(spool, 10, 3).empty());
  CHECK(content_of(spool, 1000, 3).empty());
}

TEST_CASE("upload spool: moved, it has the name, the bytes and the umask's mode") {
  const bool on_disk = GENERATE(false, true);
  const bool overwrite = GENERATE(false, true);
  const Scratch scratch;
  const mode_t mask = ::umask(027);
  const UploadSpool masked = filled(scratch, on_disk);
  REQUIRE(masked.move_to(scratch.path("kept"), overwrite));
  ::umask(mask);
  CHECK(Scratch::read(scratch.path("kept")) == "0123456789");
  CHECK(mode_of(scratch.path("kept")) == 0640);
  CHECK(content_of(masked) == "0123456789");
}

TEST_CASE("upload spool: what is there is kept unless overwriting is asked for") {
  const bool on_disk = GENERATE(false, true);
  const Scratch scratch;
  const UploadSpool spool = filled(scratch, on_disk);
  const std::string path = scratch.file("kept", "old");
  const auto refused = spool.move_to(path, false);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("exists: "));
  CHECK(Scratch::read(path) == "old");
  REQUIRE(spool.move_to(path, true));
  CHECK(Scratch::read(path) == "0123456789");
  CHECK(std::distance(fs::directory_iterator(scratch.path("")), fs::directory_iterator()) == 1);
}

TEST_CASE("upload spool: a symbolic link is not followed, only replaced") {
  const bool on_disk = GENERATE(false, true);
  const Scratch scratch;
  const UploadSpool spool = filled(scratch, on_disk);
  const std::string target = scratch.file("target", "old");
  fs::create_symlink(target, scratch.path("link"));
  fs::create_symlink(scratch.path("none"), scratch.path("dangling"));
  CHECK_FALSE(spool.move_to(scratch.path("link"), false));
  CHECK_FALSE(spool.move_to(scratch.path("dangling"), false));
  REQUIRE(spool.move_to(scratch.path("link"), true));
  CHECK(Scratch::read(target) == "old");
  CHECK_FALSE(fs::is_symlink(scratch.path("link")));
  CHECK_FALSE(fs::exists(scratch.path("none")));
}

TEST_CASE("upload spool: a place that is none is an error and leaves nothing") {
  const bool on_disk = GENERATE(false, true);
  const bool overwrite = GENERATE(false, true);
  const Scratch scratch;
  const UploadSpool spool = filled(scratch, on_disk);
  const auto missing = spool.move_to(scratch.path("no/such/folder"), overwrite);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.starts_with("not found: "));
  fs::create_directory(scratch.path("folder"));
  CHECK_FALSE(spool.move_to(scratch.path("folder"), overwrite));
  CHECK(std::distance(fs::directory_iterator(scratch.path("")), fs::directory_iterator()) == 1);
}

TEST_CASE("upload spool: over file systems it is copied") {
  const Scratch scratch;
  UploadSpool spool("/dev/shm", 4);
  REQUIRE(spool.append(std::string(200'000, 'x')) == 0);
  REQUIRE(spool.on_disk());
  REQUIRE(spool.move_to(scratch.path("kept"), false));
  CHECK(Scratch::read(scratch.path("kept")) == std::string(200'000, 'x'));
}

TEST_CASE("upload spool: a folder that is none says so") {
  const Scratch scratch;
  UploadSpool spool(scratch.path("none"), 4);
  CHECK(spool.append("01234") == ENOENT);
  UploadSpool file(scratch.file("file", ""), 4);
  CHECK(file.append("01234") == ENOTDIR);
}

TEST_CASE("upload spool: a file that may not grow says so, and a copy that fails leaves nothing") {
  const Scratch scratch;
  UploadSpool spool("/dev/shm", 4);
  REQUIRE(spool.append(std::string(60'000, 'x')) == 0);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = {};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {50'000, limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  UploadSpool other(scratch.path(""), 4);
  const int error = other.append(std::string(60'000, 'x'));
  const int more = error == 0 ? other.append("x") : error;
  const auto moved = spool.move_to(scratch.path("kept"), false);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK(more == EFBIG);
  REQUIRE_FALSE(moved);
  CHECK(moved.error().message.starts_with("full: "));
  CHECK_FALSE(fs::exists(scratch.path("kept")));
}
