#include "server/log_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <limits>

#include "scratch.h"

using namespace perigee::server;
using perigee::Milliseconds;
using perigee::Result;

namespace {

const std::atomic<Milliseconds> kNoDeadline{std::numeric_limits<Milliseconds>::max()};

LogFile opened(const std::string& target) {
  Result<LogFile> file = LogFile::open(target);
  REQUIRE(file);
  return std::move(*file);
}

// Lets files grow to `bytes` and no further, while it lives.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SizeLimit(const SizeLimit&) = delete;
  SizeLimit& operator=(const SizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("log file: lines are appended, to a file that only owner and group may read") {
  const Scratch scratch;
  const mode_t mask = umask(0);
  LogFile file = opened(scratch.path("a.log"));
  umask(mask);
  struct stat status {};
  REQUIRE(stat(scratch.path("a.log").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(file.write("one\n", kNoDeadline).lost_lines == 0);
  CHECK(opened(scratch.path("a.log")).write("two\nthree\n", kNoDeadline).error == 0);
  CHECK(file.write("", kNoDeadline).error == 0);
  CHECK(Scratch::read(scratch.path("a.log")) == "one\ntwo\nthree\n");
}

TEST_CASE("log file: a file that cannot be opened is named with the reason") {
  const Result<LogFile> file = LogFile::open("/nowhere/a.log");
  REQUIRE_FALSE(file);
  CHECK(file.error().message == "cannot open the log '/nowhere/a.log': No such file or directory");
}

TEST_CASE("log file: reopening follows the path, and keeps the old file if that fails") {
  const Scratch scratch;
  const std::string path = scratch.path("a.log");
  LogFile file = opened(path);
  CHECK(file.write("one\n", kNoDeadline).error == 0);
  std::filesystem::rename(path, path + ".1");
  CHECK(file.write("two\n", kNoDeadline).error == 0);
  REQUIRE(file.reopen());
  CHECK(file.write("three\n", kNoDeadline).error == 0);
  std::filesystem::rename(path, path + ".2");
  std::filesystem::create_directory(path);
  CHECK_FALSE(file.reopen());
  CHECK(file.write("four\n", kNoDeadline).error == 0);
  CHECK(Scratch::read(path + ".1") == "one\ntwo\n");
  CHECK(Scratch::read(path + ".2") == "three\nfour\n");
}

TEST_CASE("log file: lines that a full disk refuses are counted") {
  LogFile file = opened("/dev/full");
  const LogFile::Outcome outcome = file.write("one\ntwo\n", kNoDeadline);
  CHECK(outcome.lost_lines == 2);
  CHECK(outcome.error == ENOSPC);
}

TEST_CASE("log file: a line that an error cuts is ended before the next one") {
  const Scratch scratch;
  LogFile file = opened(scratch.path("a.log"));
  {
    const SizeLimit limit(10);
    const LogFile::Outcome outcome = file.write("aaaa\nbbbbbbbb\ncc\n", kNoDeadline);
    CHECK(outcome.lost_lines == 2);
    CHECK(outcome.error == EFBIG);
    CHECK(file.write("dd\n", kNoDeadline).lost_lines == 1);
  }
  CHECK(file.write("ee\n", kNoDeadline).error == 0);
  CHECK(file.write("ff\n", kNoDeadline).error == 0);
  CHECK(Scratch::read(scratch.path("a.log")) == "aaaa\nbbbbb\nee\nff\n");
}

TEST_CASE("log file: an error between two lines cuts none") {
  const Scratch scratch;
  LogFile file = opened(scratch.path("a.log"));
  {
    const SizeLimit limit(5);
    CHECK(file.write("aaaa\nbb\n", kNoDeadline).lost_lines == 1);
  }
  CHECK(file.write("cc\n", kNoDeadline).error == 0);
  CHECK(Scratch::read(scratch.path("a.log")) == "aaaa\ncc\n");
}

TEST_CASE("log file: a full pipe is waited for until the deadline") {
  const Scratch scratch;
  const std::string path = scratch.path("pipe");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  LogFile file = opened(path);
  std::string lines(200'000, 'x');
  for (std::size_t i = 99; i < lines.size(); i += 100) {
    lines[i] = '\n';
  }
  const std::atomic<Milliseconds> past{0};
  const LogFile::Outcome outcome = file.write(lines, past);
  CHECK(outcome.error == ETIMEDOUT);
  CHECK(outcome.lost_lines >= (200'000 - 65'536) / 100);
  close(reader);
}
