// The error desk's parts in a loop, by Google Benchmark: bench/errors.py runs it and holds the budgets.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "profiler/error_desk.h"
#include "profiler/error_filter.h"
#include "profiler/error_signature.h"

namespace {

using perigee::profiler::ErrorDesk;
using perigee::profiler::ErrorFilter;

const std::string kMessage = "dial tcp 192.168.17.4:8443: connect: connection refused";
const std::vector<std::string> kPatterns = {"context canceled", "client has gone", "unexpected EOF", "no such host"};

// What most errors meet: none of four patterns is in the message.
void filter_misses(benchmark::State& state) {
  const ErrorFilter filter(kPatterns);
  for (auto _ : state) {
    benchmark::DoNotOptimize(filter.matches(kMessage));
  }
}

void filter_matches(benchmark::State& state) {
  const ErrorFilter filter(kPatterns);
  const std::string message = "lookup upstream.example on 10.0.0.2:53: no such host";
  for (auto _ : state) {
    benchmark::DoNotOptimize(filter.matches(message));
  }
}

void strip(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    perigee::profiler::strip_error(kMessage, out);
    benchmark::DoNotOptimize(out.data());
  }
}

// An error's whole way: filter, signature, the desk's lock, counts.
void whole(benchmark::State& state) {
  ErrorDesk desk;
  desk.apply({kPatterns, 500});
  for (auto _ : state) {
    desk.note({kMessage, "GET /users/{id}", "upstream.example", "GET /users/7"});
  }
}

// Likewise from a thousand hosts, more than are told apart, with other numbers each time.
void many_hosts(benchmark::State& state) {
  ErrorDesk desk;
  desk.apply({kPatterns, 500});
  std::vector<std::string> hosts;
  std::vector<std::string> messages;
  for (int i = 0; i < 1000; ++i) {
    hosts.push_back("host-" + std::to_string(i) + ".example");
    messages.push_back("dial tcp 192.168." + std::to_string(i % 256) + ".4:" + std::to_string(8000 + i) +
                       ": connect: connection refused");
  }
  std::size_t at = 0;
  for (auto _ : state) {
    desk.note({messages[at], "GET /users/{id}", hosts[at], "GET /users/7"});
    at = at + 1 < hosts.size() ? at + 1 : 0;
  }
}

// Four threads with errors of one kind wait for one lock.
ErrorDesk& shared_desk() {
  static ErrorDesk desk;
  return desk;
}

void contended(benchmark::State& state) {
  for (auto _ : state) {
    shared_desk().note({kMessage, "GET /users/{id}", "upstream.example", "GET /users/7"});
  }
}

BENCHMARK(filter_misses);
BENCHMARK(filter_matches);
BENCHMARK(strip);
BENCHMARK(whole);
BENCHMARK(many_hosts);
BENCHMARK(contended)->Threads(4);

}  // namespace

BENCHMARK_MAIN();
