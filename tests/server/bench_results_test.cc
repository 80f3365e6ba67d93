#include "server/bench_results.h"

#include <catch2/catch.hpp>

using namespace perigee::server;
using Names = std::vector<BenchRuns::Name>;

TEST_CASE("bench results: a line is as Go prints it") {
  const auto [ns, number] = GENERATE(table<double, const char*>({{964, "       964.0"},
                                                                 {1234.5, "      1234"},
                                                                 {12.345, "        12.35"},
                                                                 {0.5, "         0.5000"},
                                                                 {0, "         0"}}));
  CHECK(bench_line({"Hello", 1000000, ns, 224, 5, 0, 0}, 2) ==
        "BenchmarkHello-2\t 1000000\t" + std::string(number) + " ns/op\t     224 B/op\t       5 allocs/op\n");
  CHECK(bench_line({"A", 1, 1, 0, 0, 0, 0}, 1).starts_with("BenchmarkA\t"));
}

TEST_CASE("bench results: a long name takes nothing from its figures") {
  const std::string name(1000, 'x');
  const std::string line = bench_line({name, 10, 964, 224, 5, 0, 0}, 1);
  CHECK(line == "Benchmark" + name + "\t      10\t       964.0 ns/op\t     224 B/op\t       5 allocs/op\n");
  CHECK(bench_noise({name, 10, 100, 0, 0, 95, 105}) == name + ": +-5.0% between rounds, 95 to 105 ns/op\n");
  const std::string table = compare_bench(read_bench(line), read_bench(line));
  CHECK_THAT(table, Catch::Contains("964ns") && Catch::Contains("~  (p=1.000 n=1+1)\n"));
}

TEST_CASE("bench results: what is no figure is passed over") {
  const BenchRuns runs = read_bench("BenchmarkA 1 nan ns/op 2 B/op\nBenchmarkB 1 inf ns/op -inf B/op\n");
  CHECK(runs.names == Names{{"", "A"}});
  CHECK(runs.values.at({"", "A"}).size() == 1);
}

TEST_CASE("bench results: the noise is half the way between the best and the worst round") {
  CHECK(bench_noise({"Hello", 10, 100, 0, 0, 95, 105}) == "Hello: +-5.0% between rounds, 95 to 105 ns/op\n");
}

TEST_CASE("bench results: what was printed is read back, other lines are passed over") {
  const BenchRuns runs = read_bench("goos: linux\n" + bench_line({"B", 10, 964, 224, 5, 0, 0}, 2) +
                                    bench_line({"A", 10, 10, 0, 0, 0, 0}, 2) +
                                    "BenchmarkB-2 \t 12\t 12.5 ns/op\n--- FAIL: BenchmarkC\nBenchmarkD\nPASS");
  CHECK(runs.names == Names{{"", "B-2"}, {"", "A-2"}});
  CHECK(runs.values.at({"", "B-2"}).at("ns/op") == std::vector<double>{964, 12.5});
  CHECK(runs.values.at({"", "B-2"}).at("allocs/op") == std::vector<double>{5});
}

TEST_CASE("bench results: a difference is shown where it is none by chance") {
  const auto runs = [](const std::vector<double>& values) {
    BenchRuns made;
    made.names = {{"", "A"}};
    made.values[{"", "A"}]["ns/op"] = values;
    return made;
  };
  const std::string faster = compare_bench(runs({100, 101, 102, 103, 104}), runs({50, 51, 52, 53, 54}));
  CHECK_THAT(faster, Catch::Contains("-49.02%  (p=0.008 n=5+5)") && Catch::Contains("102ns +-2%"));
  const std::string same = compare_bench(runs({100, 102, 104, 106}), runs({101, 103, 105, 107}));
  CHECK_THAT(same, Catch::Contains("~  (p=0.686 n=4+4)"));
  CHECK_THAT(compare_bench(runs({1}), runs({2})), Catch::Contains("use --count 4 or more"));
  CHECK(compare_bench(runs({1}), BenchRuns()).empty());
}

TEST_CASE("bench results: benchmarks of one name in two files are two") {
  const std::string two =
      "pkg: bench/a_bench.lua\nBenchmarkA 1 10 ns/op 2 B/op\npkg: bench/b_bench.lua\nBenchmarkA 1 90 ns/op\n";
  const BenchRuns runs = read_bench(two);
  CHECK(runs.names == Names{{"bench/a_bench.lua", "A"}, {"bench/b_bench.lua", "A"}});
  const std::string table = compare_bench(runs, runs);
  CHECK_THAT(table, Catch::StartsWith("pkg: bench/a_bench.lua\nname "));
  CHECK_THAT(table, Catch::Contains("\n\npkg: bench/b_bench.lua\nname ") && Catch::Contains("90.0ns"));
  const BenchRuns one = read_bench("pkg: bench/b_bench.lua\nBenchmarkA 1 80 ns/op\n");
  CHECK_THAT(compare_bench(one, runs), Catch::StartsWith("name ") && Catch::Contains("80.0ns") &&
                                           Catch::Contains("90.0ns") && !Catch::Contains("10.0ns"));
}

TEST_CASE("bench results: a text that names no files is compared by the benchmarks' names") {
  const BenchRuns older = read_bench("BenchmarkA 1 20 ns/op\n");
  const BenchRuns newer = read_bench("pkg: bench/a_bench.lua\nBenchmarkA 1 10 ns/op\n");
  CHECK_THAT(compare_bench(older, newer), Catch::Contains("20.0ns") && Catch::Contains("10.0ns"));
}
