#include "server/run_record.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace perigee::server;

namespace {

std::unique_ptr<RunRecord> made() {
  auto record = RunRecord::make();
  REQUIRE(record);
  return std::move(*record);
}

std::string names(const std::vector<RunRecord::Entry>& entries) {
  std::string text;
  for (const RunRecord::Entry& entry : entries) {
    text += entry.file + ":" + entry.outcome.name + ":" + entry.outcome.place + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("run record: what another process noted before its end is there") {
  const auto record = made();
  const pid_t process = fork();
  if (process == 0) {
    record->begin("a", "one", "a:1");
    record->end("a", {"failure", "one", "a:1", std::string("no\0pe", 5), 0.5});
    record->begin("a", "two", "a:2");
    _exit(0);
  }
  REQUIRE(waitpid(process, nullptr, 0) == process);
  CHECK_FALSE(record->closed());
  const auto entries = record->entries();
  CHECK(names(entries) == "a:one:a:1 a:one:a:1 a:two:a:2 ");
  CHECK(entries[1].kind == RunRecord::Entry::Kind::kEnded);
  CHECK(entries[1].outcome.status == "failure");
  CHECK(entries[1].outcome.message == std::string("no\0pe", 5));
  CHECK(entries[1].outcome.seconds == 0.5);
}

TEST_CASE("run record: what has begun and not ended is unfinished, in files that are not done") {
  const auto record = made();
  record->begin("a", "", "a");
  record->begin("b", "", "b");
  record->begin("c", "", "c");
  record->begin("a", "one", "a:1");
  record->begin("b", "two", "b:2");
  record->end("b", {"success", "two", "b:2", "", 0});
  record->file_done("c");
  CHECK(names(record->unfinished()) == "a:one:a:1 b::b ");
  record->close();
  CHECK(record->closed());
}

TEST_CASE("run record: one that nobody watches keeps nothing") {
  RunRecord record;
  record.begin("a", "one", "a:1");
  record.end("a", {"success", "one", "a:1", "", 0});
  record.file_done("a");
  CHECK(record.entries().empty());
  CHECK(record.unfinished().empty());
  record.close();
  CHECK(record.closed());
}

TEST_CASE("run record: long texts are cut, and what does not fit is left out") {
  const auto record = made();
  const std::string lengthy(1 << 20, 'x');
  for (int i = 0; i < 3000; ++i) {
    record->end("a", {"error", "n", "a:1", lengthy, 0});
  }
  const auto entries = record->entries();
  CHECK(entries.size() > 2000);
  CHECK(entries.size() < 3000);
  CHECK(entries.back().outcome.message.size() == 32 * 1024);
}
