// What is left of the state when memory ends in the middle of an operation: at each allocation that it makes, in turn.

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "../memory_faults.h"
#include "../server/scratch.h"
#include "state/memory_sessions.h"
#include "state/session_data.h"
#include "state/session_journal.h"
#include "state/session_users.h"
#include "state/shared_dictionary.h"
#include "topic_fixture.h"

using namespace perigee::state;

using memory_faults::enough;

namespace {

std::string entry(std::string_view key, std::string_view value) {
  std::string out;
  SessionEntries::append(out, key, {ValueKind::kString, 0, value});
  return out;
}

const std::string kAda(1000, 'a');
const std::string kBob(1000, 'b');

// Waits for a journal, whose thread then runs out of memory a while later.
struct Faulty final : perigee::Executor {
  void post(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex);
      work();
      told = true;
      memory_faults::fail_once(allocation);
    }
    changed.notify_all();
  }
  SessionStore::Waiter waiter() {
    return {this, [this](const std::string& text) { error = text; }};
  }
  bool wait() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), [this] { return std::exchange(told, false); });
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool told = false;
  std::string error;
  int allocation = 1;
};

}  // namespace

TEST_CASE("memory faults: a session becomes its user's without memory") {
  SessionUsers users;
  UserLink link;
  const SessionRef held(new Session(1));
  link.session = held.get();
  std::string name = kAda;
  REQUIRE(enough(1, [&] { users.move(link, std::move(name)); }));
  CHECK(users.of(kAda).size() == 1);
  users.move(link, "");
}

TEST_CASE("memory faults: a session is made whole or not at all") {
  MemorySessions store({1000, 1000, 100, 10'000}, 0);
  const std::string entries = entry("user", kAda);
  SessionStore::Written made;
  int given = 1;
  while (!enough(given, [&] { made = store.make(entries, 0, {}); })) {
    ++given;
    CHECK(store.count() == 0);
    CHECK(store.of(kAda, 0).empty());
  }
  CHECK(given > 3);
  CHECK(store.count() == 1);
  CHECK(store.find(made.token, 0).session.get() == made.session.get());
}

TEST_CASE("memory faults: a session is written whole or not at all") {
  MemorySessions store({1000, 1000, 100, 10'000}, 0);
  const auto made = store.make(entry("user", kAda), 0, {});
  const std::string changes = entry("user", kBob);
  SessionStore::Written written;
  int given = 1;
  while (!enough(given, [&] { written = store.write(made.session, changes, true, 0, {}); })) {
    ++given;
    CHECK(store.find(made.token, 0).data == made.data);
    CHECK(store.of(kAda, 0).size() == 1);
    CHECK(store.of(kBob, 0).empty());
  }
  CHECK(given > 3);
  CHECK(store.find(made.token, 0).session.get() == nullptr);
  CHECK(store.find(written.token, 0).session.get() == made.session.get());
  CHECK(store.of(kAda, 0).empty());
  CHECK(store.of(kBob, 0).size() == 1);
}

TEST_CASE("memory faults: what is published reaches all, or the publisher hears that it does not") {
  Topics topics;
  Reader first;
  Reader second;
  (void)first.subscribe(topics, {"t"});
  (void)second.subscribe(topics, {"t"});
  int given = 1;
  for (bool done = false; !done; ++given) {
    auto sent = message("a message");
    const int before = first.executor.posts;
    done = enough(given, [&] { topics.publish("t", std::move(sent)); });
    const std::string came = first.take();
    CHECK((came.empty() || first.executor.posts > before));  // whoever has something is woken
    CHECK((!done || came == "a message"));
    CHECK((!done || second.take() == came));
    (void)second.take();
  }
  CHECK(given > 3);
  CHECK(topics.size().topics == 1);
}

TEST_CASE("memory faults: a topic that could not be used is forgotten") {
  Topics topics;
  topics.apply({100, 300'000'000, 0});  // nothing is kept for longer than it takes
  int given = 1;
  for (bool done = false; !done; ++given) {
    auto sent = message("x");
    done = enough(given, [&] { topics.publish("new", std::move(sent)); });
    CHECK(topics.size().topics == 0);
    CHECK(topics.size().bytes == 0);
  }
  CHECK(given > 3);
}

TEST_CASE("memory faults: who could not join is no member, and leaves nothing") {
  Topics topics;
  topics.apply({100, 300'000'000, 0});
  const std::string data = "\"" + kAda + "\"";
  int given = 1;
  for (bool done = false; !done; ++given) {
    auto said = message("join");
    done = enough(given, [&] { topics.join("room", kAda, data, std::move(said)); });
    const auto members = topics.members("room");
    CHECK((members.empty() || members == std::vector<std::string>{data}));
    topics.leave("room", kAda, message("leave"));  // as the end of its connection does
    CHECK(topics.size().topics == 0);
  }
  CHECK(given > 3);
}

TEST_CASE("memory faults: a dictionary that has no memory is full, and as it was") {
  SharedDictionary dictionary({1'000'000, false});
  const std::string value(500, 'v');
  SharedDictionary::Outcome outcome = SharedDictionary::Outcome::kFull;
  int given = 1;
  for (; outcome == SharedDictionary::Outcome::kFull; ++given) {
    REQUIRE(enough(given, [&] {
      outcome = dictionary.write("k", {ValueKind::kString, 0, value}, kNever, SharedDictionary::When::kAlways);
    }));
    SharedDictionary::Copy copy;
    dictionary.get("k", copy);
    CHECK((copy.kind == ValueKind::kNone) == (outcome == SharedDictionary::Outcome::kFull));
    CHECK((dictionary.used() == 0) == (outcome == SharedDictionary::Outcome::kFull));
  }
  CHECK(given > 2);
}

TEST_CASE("memory faults: a journal tells everybody what became of a session, and goes on") {
  const Scratch scratch;
  Faulty faulty;
  MemorySessions store({1000, 1000, 100, 10'000}, 0);
  const auto opened =
      SessionJournal::open({scratch.path("sessions.db"), SessionJournal::Durability::kSync, 20}, store, 0);
  REQUIRE(opened);
  int refused = 0;
  for (; faulty.allocation < 40; ++faulty.allocation) {
    const auto made = store.make(entry("user", kAda), 0, faulty.waiter());
    REQUIRE(made.outcome == SessionStore::Outcome::kWaiting);
    REQUIRE(faulty.wait());
    INFO(faulty.error);
    CHECK((faulty.error.empty() || faulty.error.find("out of memory") != std::string::npos));
    CHECK(static_cast<bool>(store.find(made.token, 0).session) == faulty.error.empty());
    refused += faulty.error.empty() ? 0 : 1;
  }
  CHECK(refused > 0);
  CHECK(refused < 39);
}
