// The sessions' store alone: what finding and making one costs with few and with many that live.
// Usage: sessions find|make LIVING COUNT. Prints one JSON object; the instructions are counted from outside.
//
// Time is the bench's own and goes with the operations, so that expiry is in the count: while as many sessions are made
// as live, each of them expires once, and while as many are found, the timer of every second one fires and is set anew.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "state/memory_sessions.h"
#include "state/session_data.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#endif

namespace {

using perigee::Milliseconds;
using perigee::state::MemorySessions;
using perigee::state::SessionEntries;
using perigee::state::SessionStore;

constexpr Milliseconds kTime = 20;    // between two sessions that are made, so that each lives for LIVING of them
constexpr unsigned long kSwept = 50;  // operations between two sweeps: a second

struct Bench {
  static Milliseconds idle(unsigned long living) { return kTime * static_cast<Milliseconds>(living); }

  explicit Bench(unsigned long count)
      : living(count), store({idle(count), 1000 * idle(count), 2 * count + 1000, 65536}, 0) {
    SessionEntries::append(changes, "user", {perigee::state::ValueKind::kString, 0, "ada"});
  }

  void pass(Milliseconds time) {
    now += time;
    if (++operations % kSwept == 0) {
      store.sweep(now);
    }
  }

  std::string make(Milliseconds time) {
    pass(time);
    return store.make(changes, now, {}).token;
  }

  bool find(const std::string& token, Milliseconds time) {
    pass(time);
    return static_cast<bool>(store.find(token, now).session);
  }

  unsigned long living;
  MemorySessions store;
  std::string changes;
  std::vector<std::string> tokens;
  Milliseconds now = 0;
  unsigned long operations = 0;
};

unsigned long find(Bench& bench, unsigned long count) {
  const Milliseconds time = kTime / 2;
  std::vector<std::string>& tokens = bench.tokens;
  for (unsigned long i = 0; i < bench.living; i++) {
    tokens.push_back(bench.make(time));
  }
  for (unsigned long i = 0; i < bench.living; i++) {
    (void)bench.find(tokens[i], time);
  }
  CALLGRIND_START_INSTRUMENTATION;
  unsigned long found = 0;
  for (unsigned long i = 0; i < count; i++) {
    found += bench.find(tokens[i % bench.living], time) ? 1 : 0;
  }
  return found;
}

unsigned long make(Bench& bench, unsigned long count) {
  const Milliseconds time = kTime;
  for (unsigned long i = 0; i < 2 * bench.living; i++) {
    (void)bench.make(time);
  }
  CALLGRIND_START_INSTRUMENTATION;
  for (unsigned long i = 0; i < count; i++) {
    (void)bench.make(time);
  }
  const unsigned long left = bench.store.count();
  return left > bench.living / 2 && left < bench.living * 2 ? count : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || (std::strcmp(argv[1], "find") != 0 && std::strcmp(argv[1], "make") != 0)) {
    std::fprintf(stderr, "usage: sessions find|make LIVING COUNT\n");
    return 2;
  }
  Bench bench(std::strtoul(argv[2], nullptr, 10));
  const unsigned long count = std::strtoul(argv[3], nullptr, 10);
  const auto start = std::chrono::steady_clock::now();
  const unsigned long done = argv[1][0] == 'f' ? find(bench, count) : make(bench, count);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"operations\": %lu, \"living\": %zu, \"seconds\": %.9f}\n", done, bench.store.count(),
              seconds.count());
  std::fflush(stdout);
  std::_Exit(done == count ? 0 : 1);  // to free them all is not in question
}
