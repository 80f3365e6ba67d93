// The engine's parts in loops, by Google Benchmark; micro_*.cc hold them by the folders of engine/, part_micro.py runs
// them.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
