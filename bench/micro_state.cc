// Parts of engine/state: shared dictionaries and sessions, without Lua around them.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "state/memory_sessions.h"
#include "state/session_data.h"
#include "state/shared_dictionary.h"

namespace {

using perigee::state::kNever;
using perigee::state::MemorySessions;
using perigee::state::SessionEntries;
using perigee::state::SharedDictionary;
using perigee::state::ValueKind;

constexpr std::size_t kKeys = 1024;
constexpr int kSessions = 1000;

std::vector<std::string> keys() {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < kKeys; ++i) {
    made.push_back("key:" + std::to_string(i * 7919));
  }
  return made;
}

void dictionary_get(benchmark::State& state) {
  SharedDictionary dictionary({});
  const std::vector<std::string> names = keys();
  for (const std::string& name : names) {
    (void)dictionary.write(name, {ValueKind::kString, 0, "sixteen bytes ok"}, kNever, SharedDictionary::When::kAlways);
  }
  SharedDictionary::Copy copy;
  std::size_t at = 0;
  for (auto _ : state) {
    dictionary.get(names[at++ % kKeys], copy);
    benchmark::DoNotOptimize(copy.bytes.data());
  }
}

void dictionary_increment(benchmark::State& state) {
  SharedDictionary dictionary({});
  const std::vector<std::string> names = keys();
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(dictionary.increment(names[at++ % kKeys], 1, 0, kNever).value);
  }
}

void session_find(benchmark::State& state) {
  MemorySessions store({}, 0);
  std::string changes;
  SessionEntries::append(changes, "user", {ValueKind::kString, 0, "ada"});
  std::vector<std::string> tokens;
  for (int i = 0; i < kSessions; ++i) {
    tokens.push_back(store.make(changes, 1, {}).token);
  }
  std::size_t at = 0;
  for (auto _ : state) {
    if (!store.find(tokens[at++ % tokens.size()], 2).session) {
      state.SkipWithError("not found");
      break;
    }
  }
}

// The oldest goes for each that is made, once as many live as may.
void session_make(benchmark::State& state) {
  MemorySessions::Settings settings;
  settings.most = kSessions;
  MemorySessions store(settings, 0);
  std::string changes;
  SessionEntries::append(changes, "user", {ValueKind::kString, 0, "ada"});
  for (auto _ : state) {
    benchmark::DoNotOptimize(store.make(changes, 1, {}).token.data());
  }
}

BENCHMARK(dictionary_get);
BENCHMARK(dictionary_increment);
BENCHMARK(session_find);
BENCHMARK(session_make);

}  // namespace
