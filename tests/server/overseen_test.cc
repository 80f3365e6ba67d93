#include "server/overseen.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>

using namespace perigee::server;

namespace {

constexpr int kAsExpected = 42;

// The code that a process comes to which has the work overseen. `how`: what it is told of an end in the middle of
// "one";
// "" where it is told of none.
int code_of(const std::function<int(RunRecord& record)>& work, const std::string& how) {
  std::fflush(nullptr);
  const pid_t process = fork();  // has no thread but its first
  if (process == 0) {
    _exit(oversee(work, [&](const RunRecord& record, const std::string& told) {
      const auto unfinished = record.unfinished();
      return told == how && unfinished.size() == 1 && unfinished[0].outcome.name == "one" ? kAsExpected : 1;
    }));
  }
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("overseen: what ends as it should says the code") {
  CHECK(code_of(
            [](RunRecord& record) {
              record.begin("a", "one", "a:1");
              record.close();
              return 7;
            },
            "") == 7);
}

TEST_CASE("overseen: what ends in the middle is told of, with how") {
  CHECK(code_of(
            [](RunRecord& record) {
              record.begin("a", "one", "a:1");
              _exit(7);
              return 0;
            },
            "with code 7") == kAsExpected);
  for (const bool closes : {false, true}) {
    CHECK(code_of(
              [closes](RunRecord& record) {
                record.begin("a", "one", "a:1");
                if (closes) {
                  record.close();
                }
                return raise(SIGKILL);
              },
              "by signal 9 (Killed)") == kAsExpected);
  }
}
