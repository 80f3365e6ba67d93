#include "state/memory_sessions.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "state/session_data.h"

using perigee::Milliseconds;
using perigee::state::MemorySessions;
using perigee::state::SessionEntries;
using perigee::state::SessionStore;
using perigee::state::ValueKind;
using Outcome = SessionStore::Outcome;

namespace {

constexpr Milliseconds kSecond = 1000;

std::string entry(std::string_view key, std::string_view value) {
  std::string out;
  SessionEntries::append(out, key, {ValueKind::kString, 0, value});
  return out;
}

std::string without(std::string_view key) {
  std::string out;
  SessionEntries::append(out, key, {});
  return out;
}

// What a key holds in the session that a token names; "-" without either.
std::string value(SessionStore& store, const std::string& token, std::string_view key, Milliseconds now = 0) {
  const auto found = store.find(token, now);
  const auto value = found.session ? SessionEntries::find(*found.data, key) : perigee::state::DictionaryValue();
  return value.kind == ValueKind::kString ? std::string(value.bytes) : "-";
}

SessionStore::Settings settings(double idle, double absolute, std::size_t most = 1000, std::size_t size = 1000) {
  return {static_cast<Milliseconds>(idle * 1000), static_cast<Milliseconds>(absolute * 1000), most, size};
}

struct Posts final : perigee::Executor {
  void post(std::function<void()> work) override { works.push_back(std::move(work)); }
  std::vector<std::function<void()>> works;
};

}  // namespace

TEST_CASE("sessions: one is found by its token and by nothing else") {
  MemorySessions store(settings(60, 600), 0);
  const auto made = store.make(entry("user", "ada"), 0, {});
  REQUIRE(made.outcome == Outcome::kDone);
  CHECK(value(store, made.token, "user") == "ada");
  CHECK(store.count() == 1);
  std::string other = made.token;
  for (std::size_t i = 0; i < other.size(); ++i) {
    other[i] = other[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(store.find(other, 0).session);
    other[i] = made.token[i];
  }
  for (const std::string& text : {std::string(), made.token.substr(0, 43), made.token + "A", std::string(10000, 'A')}) {
    CHECK_FALSE(store.find(text, 0).session);
  }
}

TEST_CASE("sessions: changes of two that hold one session are merged by key") {
  MemorySessions store(settings(60, 600), 0);
  const auto made = store.make(entry("a", "0") + entry("b", "0"), 0, {});
  const auto one = store.find(made.token, 0);
  const auto two = store.find(made.token, 0);
  CHECK(store.write(one.session, entry("a", "1"), false, 0, {}).outcome == Outcome::kDone);
  CHECK(store.write(two.session, without("b") + entry("c", "2"), false, 0, {}).outcome == Outcome::kDone);
  CHECK(SessionEntries::find(*two.data, "a").bytes == "0");
  CHECK(*store.find(made.token, 0).data == entry("a", "1") + entry("c", "2"));
}

TEST_CASE("sessions: the idle timeout counts from the last use") {
  MemorySessions store(settings(10, 100), 0);
  const auto made = store.make(entry("k", "v"), 0, {});
  for (Milliseconds now = 9 * kSecond; now < 100 * kSecond; now += 9 * kSecond) {
    CHECK(value(store, made.token, "k", now) == "v");
    store.sweep(now);
    CHECK(store.count() == 1);
  }
  CHECK(value(store, made.token, "k", 100 * kSecond - 1) == "v");
  CHECK(value(store, made.token, "k", 100 * kSecond) == "-");  // the absolute one
  store.sweep(102 * kSecond);
  CHECK(store.count() == 0);
}

TEST_CASE("sessions: what has expired is never seen, and freed by the wheel") {
  MemorySessions store(settings(10, 100), 0);
  const auto one = store.make(entry("k", "1"), 0, {});
  const auto two = store.make(entry("k", "2"), 5 * kSecond, {});
  store.touch(one.session, 4 * kSecond);
  CHECK(value(store, one.token, "k", 14 * kSecond) == "-");
  CHECK(store.write(one.session, entry("k", "x"), false, 14 * kSecond, {}).outcome == Outcome::kGone);
  CHECK(value(store, two.token, "k", 15 * kSecond - 1) == "2");
  store.sweep(16 * kSecond);
  CHECK(store.count() == 1);
  store.sweep(60 * kSecond);
  CHECK(store.count() == 0);
}

TEST_CASE("sessions: other timeouts hold at once") {
  MemorySessions store(settings(1000, 1000), 0);
  const auto made = store.make(entry("k", "v"), 0, {});
  store.apply(settings(5, 1000));
  CHECK(value(store, made.token, "k", 5 * kSecond) == "-");
  CHECK(value(store, made.token, "k", 4 * kSecond) == "v");
}

TEST_CASE("sessions: another token makes the one before useless, and keeps who holds the session") {
  MemorySessions store(settings(60, 600), 0);
  const auto made = store.make(entry("k", "v"), 0, {});
  const auto held = store.find(made.token, 0);
  const auto rotated = store.write(made.session, entry("l", "w"), true, 0, {});
  CHECK(rotated.token != made.token);
  CHECK(value(store, made.token, "k") == "-");
  CHECK(value(store, rotated.token, "k") == "v");
  CHECK(store.write(held.session, entry("m", "x"), false, 0, {}).outcome == Outcome::kDone);
  CHECK(value(store, rotated.token, "m") == "x");
  CHECK(store.count() == 1);
}

TEST_CASE("sessions: one that was destroyed stays so") {
  MemorySessions store(settings(60, 600), 0);
  const auto made = store.make(entry("k", "v"), 0, {});
  const auto held = store.find(made.token, 0);
  CHECK(store.destroy(made.session, {}) == Outcome::kDone);
  CHECK(store.destroy(made.session, {}) == Outcome::kGone);
  CHECK(store.write(held.session, entry("k", "x"), true, 0, {}).outcome == Outcome::kGone);
  CHECK(value(store, made.token, "k") == "-");
  CHECK(SessionEntries::find(*held.data, "k").bytes == "v");
  CHECK(store.count() == 0);
}

TEST_CASE("sessions: a user's are listed and ended together, or one by its id") {
  MemorySessions store(settings(60, 600), 0);
  std::vector<SessionStore::Written> adas;
  for (int i = 0; i < 3; ++i) {
    adas.push_back(store.make(entry("user", "ada"), i, {}));
  }
  const auto bob = store.make(entry("user", "bob"), 0, {});
  CHECK(store.of("ada", 0).size() == 3);
  CHECK(store.of("nobody", 0).empty());
  CHECK(store.of("", 0).empty());
  (void)store.write(adas[0].session, entry("user", "bob"), false, 0, {});
  CHECK(store.of("ada", 0).size() == 2);
  CHECK(store.of("bob", 0).size() == 2);
  (void)store.write(adas[0].session, without("user"), false, 0, {});
  CHECK(store.of("bob", 0).size() == 1);
  CHECK(store.destroy_user("ada", bob.session->id(), {}).first == 0);
  CHECK(store.destroy_user("ada", adas[1].session->id(), {}).first == 1);
  CHECK(store.of("ada", 0).size() == 1);
  CHECK(store.of("ada", 0)[0].id == adas[2].session->id());
  CHECK(store.of("ada", 60 * kSecond + 2).empty());
  CHECK(store.destroy_user("ada", 0, {}).first == 1);
  CHECK(store.destroy_user("ada", 0, {}).first == 0);
  CHECK(value(store, adas[2].token, "user") == "-");
  CHECK(value(store, bob.token, "user") == "bob");
}

TEST_CASE("sessions: there are never more than may be, and nobody's go before a user's") {
  MemorySessions store(settings(600, 6000, 200), 0);
  std::vector<SessionStore::Written> users;
  for (int i = 0; i < 50; ++i) {
    users.push_back(store.make(entry("user", "u"), i, {}));
  }
  for (int i = 0; i < 2000; ++i) {
    (void)store.make(entry("k", "v"), 1000 + i, {});
    CHECK(store.count() <= 200);
  }
  CHECK(store.count() == 200);
  store.apply(settings(600, 6000, 1));
  const auto last = store.make(entry("k", "last"), 5000, {});
  CHECK(store.count() == 1);
  CHECK(value(store, last.token, "k", 5000) == "last");
}

TEST_CASE("sessions: of those looked at the one used longest ago goes") {
  MemorySessions store(settings(600, 6000, 1), 0);
  const auto first = store.make(entry("k", "1"), 1, {});
  store.apply(settings(600, 6000, 5));
  for (int i = 0; i < 100; ++i) {
    (void)store.make(entry("k", "2"), 10 + i, {});
    (void)store.find(first.token, 11 + i);
  }
  CHECK(store.count() == 5);
}

TEST_CASE("sessions: a bound on the size refuses the change whole") {
  MemorySessions store(settings(60, 600, 1000, 100), 0);
  CHECK(store.make(entry("k", std::string(94, 'x')), 0, {}).outcome == Outcome::kTooLarge);
  const auto made = store.make(entry("k", std::string(93, 'x')), 0, {});
  REQUIRE(made.outcome == Outcome::kDone);
  CHECK(store.write(made.session, entry("a", ""), true, 0, {}).outcome == Outcome::kTooLarge);
  CHECK(value(store, made.token, "k") == std::string(93, 'x'));
  CHECK(store.write(made.session, without("k") + entry("a", "b"), false, 0, {}).outcome == Outcome::kDone);
}

TEST_CASE("sessions: who watches one is told of its end, and keeps it in use") {
  MemorySessions store(settings(10, 100), 0);
  Posts posts;
  int told = 0;
  const auto count = [&told] { ++told; };
  const auto made = store.make(entry("user", "ada"), 0, {});
  const auto one = store.watch(made.session, posts, count);
  (void)store.watch(made.session, posts, count);
  store.sweep(50 * kSecond);
  CHECK(value(store, made.token, "user", 99 * kSecond) == "ada");
  store.unwatch(made.session, one, 60 * kSecond);
  CHECK(store.destroy_user("ada", 0, {}).first == 1);
  REQUIRE(posts.works.size() == 1);
  (void)store.watch(made.session, posts, count);
  CHECK(posts.works.size() == 2);

  const auto other = store.make(entry("k", "v"), 0, {});
  const auto last = store.watch(other.session, posts, count);
  store.sweep(40 * kSecond);
  store.unwatch(other.session, last, 40 * kSecond);
  CHECK(value(store, other.token, "k", 49 * kSecond) == "v");
  (void)store.watch(other.session, posts, count);
  store.sweep(102 * kSecond);  // the absolute timeout
  CHECK(store.count() == 0);
  CHECK(posts.works.size() == 3);
}

TEST_CASE("sessions: threads that write different keys of one session lose nothing") {
  MemorySessions store(settings(600, 6000, 1000, 1000000), 0);
  const auto made = store.make(entry("user", "ada"), 0, {});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto found = store.find(made.token, i);
        (void)store.write(found.session, entry("k" + std::to_string(t * 1000 + i), "v"), false, i, {});
        const auto passing = store.make(entry("user", "bob"), i, {});
        (void)store.of("bob", i);
        (void)store.write(passing.session, entry("user", "eve"), true, i, {});
        (void)store.destroy_user("eve", 0, {});
        store.sweep(i);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const auto found = store.find(made.token, 0);
  std::size_t count = 0;
  for (SessionEntries entries(*found.data); entries.next(); ++count) {
  }
  CHECK(count == 401);
  CHECK(store.count() == 1);
}
