#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perigee::server {

/// What a benchmark has come to.
struct BenchResult {
  std::string name;  ///< "Hello"
  std::int64_t n = 0;
  double ns = 0;           ///< nanoseconds for each of n
  double bytes = 0;        ///< allocated for each
  double allocations = 0;  ///< likewise
  double fastest = 0;      ///< nanoseconds for each of the best round, and of the worst
  double slowest = 0;
};

/// A line in the format of Go's testing package: "BenchmarkHello-2  1000000  964 ns/op  224 B/op  5 allocs/op".
[[nodiscard]] std::string bench_line(const BenchResult& result, unsigned processors);

/// How far the rounds of a benchmark were apart, for a person.
[[nodiscard]] std::string bench_noise(const BenchResult& result);

/// The figures of several runs by benchmark and unit: values[{"bench/hi_bench.lua", "Hello-2"}]["ns/op"].
struct BenchRuns {
  /// What the text calls a package, here the file, "" where it names none; and the name.
  using Name = std::pair<std::string, std::string>;

  std::vector<Name> names;  ///< in the order of the text
  std::map<Name, std::map<std::string, std::vector<double>>> values;
};

/// Reads the lines that bench_line() or `go test -bench` wrote; others are passed over.
[[nodiscard]] BenchRuns read_bench(std::string_view text);

/// The benchmarks that both texts have, side by side: medians, how much they differ and whether that can be told from
/// chance (Mann-Whitney, p < 0.05); "~" where it can't. A table for each file and unit. Where one of the texts names no
/// files, the benchmarks' names alone count.
[[nodiscard]] std::string compare_bench(const BenchRuns& before, const BenchRuns& after);

}  // namespace perigee::server
