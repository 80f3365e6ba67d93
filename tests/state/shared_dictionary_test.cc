#include "state/shared_dictionary.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace perigee::state;
using Outcome = SharedDictionary::Outcome;
using When = SharedDictionary::When;

namespace {

constexpr std::size_t kSmall = 64 * 1024;

std::unique_ptr<SharedDictionary> make(std::size_t size = 1'000'000, bool pin = false) {
  return std::make_unique<SharedDictionary>(SharedDictionary::Settings{size, pin});
}

DictionaryValue text(std::string_view bytes) {
  return {ValueKind::kString, 0, bytes};
}

Outcome set(SharedDictionary& dictionary, std::string_view key, std::string_view value, std::int64_t life = kNever) {
  return dictionary.write(key, text(value), life, When::kAlways);
}

std::string get(SharedDictionary& dictionary, std::string_view key) {
  SharedDictionary::Copy copy;
  dictionary.get(key, copy);
  return copy.kind == ValueKind::kNone ? "(none)" : copy.bytes;
}

std::vector<std::string> all_keys(SharedDictionary& dictionary, std::string_view prefix = "") {
  std::vector<std::string> found;
  for (std::uint64_t at = 0; at < SharedDictionary::kEnd;) {
    at = dictionary.walk(at, prefix, 1'000'000'000, found);
  }
  return found;
}

// Waits until the monotonic clock has moved on.
void pass(std::int64_t nanoseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(nanoseconds);
  while (std::chrono::steady_clock::now() <= end) {
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("shared dictionary: what was written is read, whatever replaces what") {
  const auto dictionary = make();
  CHECK(get(*dictionary, "a") == "(none)");
  CHECK(set(*dictionary, "a", "one") == Outcome::kDone);
  CHECK(get(*dictionary, "a") == "one");
  CHECK(dictionary->write("a", text("x"), kNever, When::kAbsent) == Outcome::kExists);
  CHECK(dictionary->write("b", text("x"), kNever, When::kPresent) == Outcome::kNotFound);
  for (const std::size_t size : {100, 10'000, 3, 0, 200}) {
    const std::string value(size, 'v');
    CHECK(set(*dictionary, "a", value) == Outcome::kDone);
    CHECK(get(*dictionary, "a") == value);
  }
  CHECK(dictionary->count() == 1);
  CHECK(dictionary->erase("a"));
  CHECK_FALSE(dictionary->erase("a"));
  CHECK(dictionary->used() == 0);
}

TEST_CASE("shared dictionary: numbers add up exactly, and what is no number is left alone") {
  const auto dictionary = make();
  CHECK(dictionary->increment("n", 1, 10, kNever).value == 11);
  CHECK(dictionary->increment("n", 0.25, 99, kNever).value == 11.25);
  CHECK(set(*dictionary, "s", "text") == Outcome::kDone);
  CHECK(dictionary->increment("s", 1, 0, kNever).outcome == Outcome::kNotNumber);
  CHECK(get(*dictionary, "s") == "text");
}

TEST_CASE("shared dictionary: what has expired is never seen, and its room comes back") {
  const auto dictionary = make();
  CHECK(set(*dictionary, "short", "x", 1'000'000) == Outcome::kDone);
  CHECK(set(*dictionary, "long", "x", 3'600'000'000'000) == Outcome::kDone);
  CHECK(dictionary->lifetime("long").value() > 3'000'000'000'000);
  CHECK(dictionary->lifetime("none") == std::nullopt);
  pass(2'000'000);
  CHECK(get(*dictionary, "short") == "(none)");
  CHECK(dictionary->count() == 1);
  CHECK(dictionary->expire("long", kNever) == Outcome::kDone);
  CHECK(dictionary->lifetime("long") == kNever);
  CHECK(dictionary->expire("short", 1) == Outcome::kNotFound);
  for (int i = 0; i < 500; ++i) {
    CHECK(set(*dictionary, "k" + std::to_string(i), "x", 1 + i % 7) == Outcome::kDone);
  }
  pass(20'000'000);  // the coarse clock's step
  CHECK(dictionary->count() == 1);
}

TEST_CASE("shared dictionary: over its bound the keys used longest ago go, in their order") {
  const auto dictionary = make(kSmall);
  const std::string value(1000, 'v');
  CHECK(set(*dictionary, "kept", value) == Outcome::kDone);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(set(*dictionary, std::to_string(i), value) == Outcome::kDone);
    REQUIRE(get(*dictionary, "kept") == value);
    REQUIRE(dictionary->used() <= kSmall);
  }
  CHECK(get(*dictionary, "999") == value);
  CHECK(get(*dictionary, "0") == "(none)");
  const std::size_t count = dictionary->count();
  CHECK(count > 40);
  for (std::size_t i = 1000 - count + 1; i < 1000; ++i) {
    CHECK(get(*dictionary, std::to_string(i)) == value);
  }
}

TEST_CASE("shared dictionary: a value as large as the whole of it drives all others out, a larger one is refused") {
  const auto dictionary = make(kSmall);
  CHECK(set(*dictionary, "a", "small") == Outcome::kDone);
  CHECK(set(*dictionary, "b", std::string(60'000, 'b')) == Outcome::kDone);
  CHECK(get(*dictionary, "b").size() == 60'000);
  CHECK(set(*dictionary, "c", std::string(60'000, 'c')) == Outcome::kDone);
  CHECK(get(*dictionary, "b") == "(none)");
  CHECK(set(*dictionary, "d", std::string(kSmall, 'd')) == Outcome::kFull);
  CHECK(set(*dictionary, std::string(kSmall, 'k'), "v") == Outcome::kFull);
  CHECK(get(*dictionary, "c").size() == 60'000);
}

TEST_CASE("shared dictionary: the largest value is the one that fits exactly") {
  const auto dictionary = make(kSmall);
  std::size_t largest = kSmall;
  while (set(*dictionary, "k", std::string(largest, 'v')) != Outcome::kDone) {
    REQUIRE(--largest > kSmall / 2);
  }
  CHECK(dictionary->used() <= kSmall);
  CHECK(get(*dictionary, "k").size() == largest);
  CHECK(set(*dictionary, "k", std::string(largest + 1, 'v')) == Outcome::kFull);
  CHECK(get(*dictionary, "k").size() == largest);  // what can't be replaced stays
  CHECK(dictionary->compare_and_swap("none", {}, text(std::string(kSmall, 'v'))) == Outcome::kFull);
  CHECK(set(*dictionary, "", "") == Outcome::kDone);
  CHECK(get(*dictionary, "") == "");
}

TEST_CASE("shared dictionary: a pinned one is full, until something is deleted or expires") {
  const auto dictionary = make(kSmall, true);
  const std::string value(1000, 'v');
  int kept = 0;
  while (set(*dictionary, std::to_string(kept), value) == Outcome::kDone) {
    REQUIRE(++kept < 1000);
  }
  CHECK(kept > 40);
  CHECK(dictionary->count() == static_cast<std::size_t>(kept));
  CHECK(dictionary->increment("n", 1, 0, kNever).outcome == Outcome::kDone);  // there is room for a little
  CHECK(set(*dictionary, "0", std::string(1000, 'w')) == Outcome::kDone);     // and for what takes no more
  CHECK(set(*dictionary, "more", value) == Outcome::kFull);
  CHECK(dictionary->erase("1"));
  CHECK(set(*dictionary, "more", value, 1'000'000) == Outcome::kDone);
  CHECK(set(*dictionary, "again", value) == Outcome::kFull);
  pass(20'000'000);
  CHECK(set(*dictionary, "again", value) == Outcome::kDone);
  dictionary->clear();
  for (int i = 0; i < kept; ++i) {
    CHECK(set(*dictionary, "new" + std::to_string(i), value) == Outcome::kDone);
  }
}

TEST_CASE("shared dictionary: bounds change while it is in use") {
  const auto dictionary = make(kSmall);
  const std::string value(1000, 'v');
  for (int i = 0; i < 100; ++i) {
    CHECK(set(*dictionary, std::to_string(i), value) == Outcome::kDone);
  }
  const std::size_t before = dictionary->count();
  dictionary->apply({1'000'000, false});
  CHECK(dictionary->count() == before);
  CHECK(get(*dictionary, "99") == value);
  for (int i = 0; i < 500; ++i) {
    CHECK(set(*dictionary, "b" + std::to_string(i), value) == Outcome::kDone);
  }
  CHECK(dictionary->count() == before + 500);
  CHECK(all_keys(*dictionary).size() == before + 500);
  dictionary->apply({kSmall, true});
  CHECK(dictionary->count() == before + 500);
  CHECK(set(*dictionary, "one more", value) == Outcome::kFull);
  dictionary->apply({kSmall, false});
  CHECK(dictionary->used() <= kSmall);
  CHECK(get(*dictionary, "b499") == value);
}

TEST_CASE("shared dictionary: a value tells whether another has written") {
  const auto dictionary = make();
  CHECK(dictionary->compare_and_swap("k", text("x"), text("c")) == Outcome::kNotFound);
  CHECK(dictionary->compare_and_swap("k", {}, {}) == Outcome::kDone);
  CHECK(dictionary->count() == 0);
  CHECK(dictionary->compare_and_swap("k", {}, text("a")) == Outcome::kDone);
  CHECK(dictionary->compare_and_swap("k", {}, text("b")) == Outcome::kExists);
  CHECK(dictionary->compare_and_swap("k", text("x"), text("b")) == Outcome::kExists);
  CHECK(dictionary->compare_and_swap("k", text("a"), text("b")) == Outcome::kDone);
  CHECK(dictionary->compare_and_swap("k", {ValueKind::kTable, 0, "b"}, text("c")) == Outcome::kExists);
  CHECK(dictionary->compare_and_swap("k", text("b"), {}) == Outcome::kDone);
  CHECK(dictionary->compare_and_swap("k", {}, {ValueKind::kNumber, std::nan(""), {}}) == Outcome::kDone);
  CHECK(dictionary->compare_and_swap("k", {ValueKind::kNumber, std::nan("1"), {}}, {ValueKind::kNumber, 1.5, {}}) ==
        Outcome::kDone);
  CHECK(dictionary->compare_and_swap("k", {ValueKind::kNumber, 1.5, {}}, {ValueKind::kTrue, 0, {}}) == Outcome::kDone);
  CHECK(dictionary->compare_and_swap("k", {ValueKind::kFalse, 0, {}}, {}) == Outcome::kExists);
  CHECK(dictionary->compare_and_swap("k", {ValueKind::kTrue, 0, {}}, {}) == Outcome::kDone);
  CHECK(dictionary->count() == 0);
}

TEST_CASE("shared dictionary: a walk finds each key once, in steps, with a prefix and up to a limit") {
  const auto dictionary = make(10'000'000);
  std::set<std::string> written;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = (i % 2 == 0 ? "even:" : "odd:") + std::to_string(i);
    REQUIRE(set(*dictionary, key, "x") == Outcome::kDone);
    written.insert(key);
  }
  const auto found = all_keys(*dictionary);
  CHECK(found.size() == written.size());
  CHECK(std::set<std::string>(found.begin(), found.end()) == written);
  CHECK(all_keys(*dictionary, "odd:").size() == 10'000);
  std::vector<std::string> some;
  CHECK(dictionary->walk(0, "", 10, some) < SharedDictionary::kEnd);
  CHECK(some.size() >= 10);
  CHECK(some.size() < 30);
  some.clear();
  CHECK(dictionary->walk(0, "nothing", 10, some) < SharedDictionary::kEnd);  // one step does not see all
  dictionary->clear();
  CHECK(all_keys(*dictionary).empty());
  CHECK(dictionary->count() == 0);
}

TEST_CASE("shared dictionary: a million keys stay within the bound") {
  const auto dictionary = make();
  for (int i = 0; i < 1'000'000; ++i) {
    REQUIRE(dictionary->increment("key" + std::to_string(i), 1, 0, i % 3 == 0 ? 1'000'000'000 : kNever).value == 1);
  }
  CHECK(dictionary->used() <= 1'000'000);
  CHECK(dictionary->count() > 5'000);
}

TEST_CASE("shared dictionary: what walks, counts or clears a million keys does a bounded part at a time") {
  constexpr std::size_t kKeys = 1'000'000;
  constexpr std::size_t kMostAtOnce = 10'000;  // of the million, in one call
  const auto dictionary = make(400'000'000);
  const auto fill = [&](std::int64_t lifetime) {
    for (std::size_t i = 0; i < kKeys; ++i) {
      if (dictionary->increment(std::to_string(i), 1, 0, lifetime).outcome != Outcome::kDone) {
        return false;
      }
    }
    return true;
  };
  REQUIRE(fill(kNever));
  const std::size_t each = dictionary->used() / kKeys;
  std::vector<std::string> found;
  std::size_t steps = 0, seen = 0;
  for (std::uint64_t at = 0; at < SharedDictionary::kEnd; ++steps, found.clear()) {
    at = dictionary->walk(at, "", kKeys, found);
    REQUIRE(found.size() < kMostAtOnce);
    seen += found.size();
  }
  CHECK(seen == kKeys);
  CHECK(steps > kKeys / kMostAtOnce);
  CHECK(dictionary->count() == kKeys);
  std::size_t before = dictionary->used();
  dictionary->clear();
  CHECK(dictionary->count() == 0);
  CHECK(get(*dictionary, "7") == "(none)");
  CHECK(before - dictionary->used() < kMostAtOnce * each);
  REQUIRE(fill(1'000'000'000'000));
  CHECK(dictionary->count() == kKeys);
  before = dictionary->used();
  CHECK(dictionary->erase("7"));
  CHECK(before - dictionary->used() < 100 * each);
}

TEST_CASE("shared dictionary: one that is not pinned takes everything that is not larger than itself") {
  for (const std::size_t size : {std::size_t{16'384}, kSmall, std::size_t{1'000'003}}) {
    const auto dictionary = make(size);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < 3'000; ++i) {
      const std::size_t length = i * 7919 % (size / 2);
      const std::string value(length, static_cast<char>('a' + i % 26));
      const std::string key(1 + i % 300, static_cast<char>('a' + i % 7));
      const std::int64_t lifetime = i % 3 == 0 ? 3'600'000'000'000 : kNever;
      taken += set(*dictionary, key, value, lifetime) == Outcome::kDone && get(*dictionary, key) == value ? 1 : 0;
      REQUIRE(dictionary->used() <= size);
    }
    CHECK(taken == 3'000);
  }
}

TEST_CASE("shared dictionary: what is read again and again stays while others go") {
  const auto dictionary = make(kSmall);
  const std::string value(100, 'v');
  for (int i = 0; i < 20; ++i) {
    REQUIRE(set(*dictionary, "hot" + std::to_string(i), value) == Outcome::kDone);
  }
  for (int i = 0; i < 5'000; ++i) {
    REQUIRE(set(*dictionary, "cold" + std::to_string(i), value) == Outcome::kDone);
    REQUIRE(get(*dictionary, "hot" + std::to_string(i % 20)) == value);
  }
}

TEST_CASE("shared dictionary: threads lose no addition, tear no value and stay within the bound") {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5'000;
  const auto dictionary = make(kSmall);
  const auto counters = make();
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SharedDictionary::Copy copy;
      for (int i = 0; i < kRounds; ++i) {
        (void)counters->increment("n", 1, 0, kNever);
        for (bool done = false; !done;) {
          counters->get("optimistic", copy);
          const bool none = copy.kind == ValueKind::kNone;
          done = counters->compare_and_swap("optimistic", {copy.kind, copy.number, {}},
                                            {ValueKind::kNumber, none ? 1 : copy.number + 1, {}}) == Outcome::kDone;
        }
        const std::string key = std::to_string(i % 50);
        (void)set(*dictionary, key, std::string(static_cast<std::size_t>(i % 2000), static_cast<char>('a' + t)),
                  i % 5 == 0 ? 1'000'000 : kNever);
        dictionary->get(key, copy);
        torn +=
            copy.kind != ValueKind::kNone && copy.bytes.find_first_not_of(copy.bytes[0]) != std::string::npos ? 1 : 0;
        if (i % 500 == 0) {
          dictionary->clear();
          dictionary->apply({i % 1000 == 0 ? kSmall : 2 * kSmall, false});
          (void)all_keys(*dictionary);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  SharedDictionary::Copy copy;
  counters->get("n", copy);
  CHECK(copy.number == kThreads * kRounds);
  counters->get("optimistic", copy);
  CHECK(copy.number == kThreads * kRounds);
  CHECK(torn == 0);
  dictionary->apply({kSmall, false});
  CHECK(dictionary->used() <= kSmall);
}
