#include "state/session_journal.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "../server/scratch.h"
#include "state/session_data.h"

using perigee::monotonic_ms;
using perigee::state::MemorySessions;
using perigee::state::SessionEntries;
using perigee::state::SessionJournal;
using perigee::state::SessionStore;
using perigee::state::ValueKind;
using Outcome = SessionStore::Outcome;

namespace {

std::string entry(std::string_view key, std::string_view value) {
  std::string out;
  SessionEntries::append(out, key, {ValueKind::kString, 0, value});
  return out;
}

// A store with its journal, as one run of a server has them.
struct Run {
  explicit Run(const std::string& path, SessionJournal::Durability durability = SessionJournal::Durability::kSync)
      : store({}, monotonic_ms()) {
    auto opened = SessionJournal::open({path, durability, 20}, store, monotonic_ms());
    if (!opened) {
      FAIL(opened.error().message);
    }
    journal = std::move(*opened);
  }

  [[nodiscard]] std::string value(const std::string& token, std::string_view key) {
    const auto found = store.find(token, monotonic_ms());
    return found.session ? std::string(SessionEntries::find(*found.data, key).bytes) : "-";
  }

  MemorySessions store;
  std::unique_ptr<SessionJournal> journal;
};

// Waits in a test as a worker's task does.
struct Waiting final : perigee::Executor {
  void post(std::function<void()> work) override {
    const std::lock_guard lock(mutex);
    work();
    changed.notify_all();
  }
  SessionStore::Waiter waiter() {
    told = false;
    return {this, [this](const std::string& text) {
              error = text;
              told = true;
            }};
  }
  std::string wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return told; });
    return error;
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool told = false;
  std::string error;
};

// No file of the process grows beyond a size, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(const std::string& file) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{std::filesystem::file_size(file), before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("session journal: what was told to be safe is there in the next run") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  Waiting waiting;
  SessionStore::Written kept, gone, rotated;
  {
    Run run(path);
    kept = run.store.make(entry("user", "ada"), monotonic_ms(), waiting.waiter());
    REQUIRE(kept.outcome == Outcome::kWaiting);
    CHECK(waiting.wait().empty());
    gone = run.store.make(entry("user", "ada"), monotonic_ms(), waiting.waiter());
    CHECK(waiting.wait().empty());
    CHECK(run.store.destroy(gone.session, waiting.waiter()) == Outcome::kWaiting);
    CHECK(waiting.wait().empty());
    rotated = run.store.write(kept.session, entry("k", "v"), true, monotonic_ms(), waiting.waiter());
    CHECK(waiting.wait().empty());
  }
  Run run(path);
  CHECK(run.store.count() == 1);
  CHECK(run.value(kept.token, "k") == "-");
  CHECK(run.value(gone.token, "user") == "-");
  CHECK(run.value(rotated.token, "k") == "v");
  CHECK(run.store.of("ada", monotonic_ms()).size() == 1);
  CHECK(run.store.of("ada", monotonic_ms())[0].id == kept.session->id());
}

TEST_CASE("session journal: with async nobody waits, and the end writes what is left") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  Waiting waiting;
  std::string token;
  {
    Run run(path, SessionJournal::Durability::kAsync);
    CHECK_FALSE(run.store.waits());
    const auto made = run.store.make(entry("k", "v"), monotonic_ms(), waiting.waiter());
    CHECK(made.outcome == Outcome::kDone);
    token = made.token;
  }
  Run run(path);
  CHECK(run.value(token, "k") == "v");
}

TEST_CASE("session journal: sessions that expired between two runs are not loaded") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  Waiting waiting;
  {
    Run run(path);
    (void)run.store.make(entry("k", "v"), monotonic_ms() - 31 * 60 * 1000, waiting.waiter());
    CHECK(waiting.wait().empty());
  }
  CHECK(Run(path).store.count() == 0);
  const auto file = perigee::state::SessionFile::open(path);
  REQUIRE(file);
  std::size_t rows = 0;
  REQUIRE((*file)->read([&](const auto&) { ++rows; }));
  CHECK(rows == 0);
}

TEST_CASE("session journal: writers of many threads are all told, and nothing is lost") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  std::string token;
  {
    Run run(path);
    Waiting first;
    const auto made = run.store.make(entry("k", "v"), monotonic_ms(), first.waiter());
    CHECK(first.wait().empty());
    token = made.token;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        Waiting waiting;
        for (int i = 0; i < 25; ++i) {
          const std::string key = std::to_string(t) + "-" + std::to_string(i);
          (void)run.store.write(made.session, entry(key, "v"), false, monotonic_ms(), waiting.waiter());
          (void)waiting.wait();
          run.store.sweep(monotonic_ms());
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  Run run(path);
  std::size_t keys = 0;
  const auto found = run.store.find(token, monotonic_ms());
  REQUIRE(found.session);
  for (SessionEntries entries(*found.data); entries.next(); ++keys) {
  }
  CHECK(keys == 101);
}

TEST_CASE("session journal: who comes after its end is told so") {
  const Scratch scratch;
  Waiting waiting;
  Run run(scratch.path("sessions.db"));
  run.journal->stop();
  (void)run.store.make(entry("k", "v"), monotonic_ms(), waiting.waiter());
  CHECK(waiting.wait() == "the server is stopping");
}

TEST_CASE("session journal: what a full disk does not take is undone, and the file stays whole") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  Waiting waiting;
  SessionStore::Written kept, ended, after;
  {
    Run run(path);
    kept = run.store.make(entry("user", "ada"), monotonic_ms(), waiting.waiter());
    CHECK(waiting.wait().empty());
    ended = run.store.make(entry("user", "bob"), monotonic_ms(), waiting.waiter());
    CHECK(waiting.wait().empty());
    {
      const FullDisk full(path + "-wal");
      const auto written =
          run.store.write(kept.session, entry("user", std::string(20000, 'x')), true, monotonic_ms(), waiting.waiter());
      CHECK_THAT(waiting.wait(), Catch::Contains("session.file"));
      CHECK(run.value(kept.token, "user") == "ada");
      CHECK(run.value(written.token, "user") == "-");
      CHECK(run.store.of("ada", monotonic_ms()).size() == 1);
      const auto made = run.store.make(entry("k", "v"), monotonic_ms(), waiting.waiter());
      CHECK_FALSE(waiting.wait().empty());
      CHECK(run.value(made.token, "k") == "-");
      (void)run.store.destroy(ended.session, waiting.waiter());
      CHECK_FALSE(waiting.wait().empty());
      CHECK(run.value(ended.token, "user") == "-");
    }
    after = run.store.write(kept.session, entry("k", "after"), false, monotonic_ms(), waiting.waiter());
    CHECK(waiting.wait().empty());
  }
  Run run(path);
  CHECK(run.value(kept.token, "user") == "ada");
  CHECK(run.value(kept.token, "k") == "after");
  CHECK(run.value(ended.token, "user") == "-");
  CHECK(run.store.count() == 1);
}
