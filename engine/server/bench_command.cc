// `perigee bench`: runs files of benchmarks, one after the other, and compares what earlier runs came to.

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "net/signal_source.h"
#include "server/bench_printer.h"
#include "server/bench_profile.h"
#include "server/bench_results.h"
#include "server/bench_run.h"
#include "server/command_options.h"
#include "server/command_output.h"
#include "server/commands.h"
#include "server/interruption.h"
#include "server/overseen.h"
#include "server/spec_files.h"
#include "server/spec_log.h"

namespace perigee::server {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

int compare(const CommandLine& command) {
  std::vector<BenchRuns> runs;
  for (const std::string& path : command.bench.compare) {
    errno = 0;
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    runs.push_back(read_bench(text.str()));
    if (runs.back().names.empty()) {
      print_mistake(path +
                    (errno != 0 ? std::string(" can't be read: ") + std::strerror(errno) : " holds no benchmarks"));
      return 1;
    }
  }
  const std::string table = compare_bench(runs[0], runs[1]);
  if (table.empty()) {
    print_mistake("the two files have no benchmark in common");
    return 1;
  }
  std::fputs(table.c_str(), stdout);
  return 0;
}

// The threads of a file go on: the process has to end without them.
[[noreturn]] void leave(RunRecord& record, int code) {
  record.close();
  std::fflush(nullptr);
  std::_Exit(code);
}

// Runs the files in this process.
int run_files(const CommandLine& command, const std::shared_ptr<const Options>& options,
              const std::vector<std::string>& files, RunRecord& record) {
  SpecLog log;
  set_log_sink(&log);
  net::SignalSource::block_signals({SIGPIPE});
  const Interruption interruption;
  const unsigned lanes = std::max(1U, std::thread::hardware_concurrency());
  BenchPrinter printer(lanes);
  BenchProfiles profiles;
  if (!profiles.begin(command.bench)) {
    set_log_sink(nullptr);
    record.close();
    return 1;
  }
  std::printf("goos: linux\ngoarch: amd64\ncpu: %s\n", processor_name().c_str());
  const BenchRun::Setup setup{command, options, lanes, printer, record, profiles.recorder()};
  for (const std::string& file : files) {
    std::printf("pkg: %s\n", file.c_str());
    std::fflush(stdout);
    auto run = std::make_unique<BenchRun>(setup, file);
    switch (run->run()) {
      case BenchRun::End::kWell:
        break;
      case BenchRun::End::kStuck:
        (void)run.release();
        std::puts("FAIL");
        leave(record, 1);
      case BenchRun::End::kInterrupted:
        (void)run.release();
        printer.end();
        print_mistake("interrupted in " + file);
        leave(record, Interruption::exit_code(Interruption::caught()));
    }
  }
  if (printer.empty()) {
    print_mistake(command.test.filter.empty() ? "no benchmark was run"
                                              : "no benchmark was run: the filter chooses none");
  }
  const bool written = profiles.end();
  std::puts(printer.failed() ? "FAIL" : "PASS");
  std::fflush(stdout);
  set_log_sink(nullptr);
  record.close();
  return printer.failed() || !written ? 1 : 0;
}

// The process that ran the files has ended in the middle: says where.
int report_end(const RunRecord& record, const std::string& how) {
  for (const RunRecord::Entry& entry : record.unfinished()) {
    const std::string& name = entry.outcome.name;
    std::printf("--- FAIL: %s\n    %s: the process ended here, %s\n",
                name.empty() ? entry.file.c_str() : ("Benchmark" + name).c_str(), entry.outcome.place.c_str(),
                how.c_str());
  }
  std::puts("FAIL");
  return 1;
}

}  // namespace

int run_bench(const CommandLine& command) {
  if (!command.bench.compare.empty()) {
    return compare(command);
  }
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  const auto files = spec_files(command.paths, {"_bench.lua"});
  if (!files) {
    print_mistake(files.error().message);
    return 1;
  }
  const auto shared = std::make_shared<const Options>(*options);
  return oversee([&](RunRecord& record) { return run_files(located, shared, *files, record); }, report_end);
}

}  // namespace perigee::server
