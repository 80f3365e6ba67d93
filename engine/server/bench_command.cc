// `perigee bench`: runs files of benchmarks, one after the other, and compares what earlier runs came to.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <set>
#include <sstream>
#include <thread>

#include "base/escape.h"
#include "net/signal_source.h"
#include "server/bench_lanes.h"
#include "server/bench_profile.h"
#include "server/bench_results.h"
#include "server/command_options.h"
#include "server/commands.h"
#include "server/spec_files.h"
#include "server/spec_log.h"
#include "server/spec_run.h"

namespace perigee::server {
namespace {

constexpr double kPatience = 3600;  // seconds that a benchmark waits for one answer

unsigned processors() {
  return std::max(1U, std::thread::hardware_concurrency());
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

/// Says what comes of benchmarks: figures to standard output, for programs; noise, progress and mistakes to standard
/// error. Any thread.
class BenchPrinter {
 public:
  void progress(std::string_view name, double n, int rounds) {
    const std::lock_guard lock(mutex_);
    if (terminal_) {
      std::fprintf(stderr, "\r\x1b[K%.*s: %.0f, round %d", static_cast<int>(name.size()), name.data(), n, rounds);
    }
  }
  void result(const script::TestDesk::Measured& measured) {
    const std::lock_guard lock(mutex_);
    clear();
    const BenchResult result{measured.name,        measured.n,       measured.ns,     measured.bytes,
                             measured.allocations, measured.fastest, measured.slowest};
    std::fputs(bench_line(result, processors()).c_str(), stdout);
    std::fflush(stdout);
    std::fputs(bench_noise(result).c_str(), stderr);
  }
  void failure(const std::string& what, const std::string& message) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    clear();
    if (said_.insert(what + message).second) {
      std::printf("--- FAIL: %s\n    %s\n", what.c_str(), message.c_str());
      std::fflush(stdout);
    }
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void clear() const {
    if (terminal_) {
      std::fputs("\r\x1b[K", stderr);
    }
  }

  std::mutex mutex_;
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::set<std::string> said_;  // guarded by mutex_: lanes say the same
  bool failed_ = false;
};

/// A lane of a file while it runs.
struct Lane {
  std::promise<void> ended;
  std::unique_ptr<SpecRun> run;
};

void run_file(const CommandLine& command, const std::shared_ptr<const Options>& options, const std::string& file,
              profiler::Recorder* recorder, BenchPrinter& printer) {
  BenchLanes::Events events;
  events.on_progress = [&](std::string_view name, double n, int rounds) { printer.progress(name, n, rounds); };
  events.on_result = [&](const script::TestDesk::Measured& measured) { printer.result(measured); };
  events.on_failure = [&](std::string_view name, std::string_view message) {
    printer.failure("Benchmark" + std::string(name), std::string(message));
  };
  auto lanes = std::make_shared<BenchLanes>(static_cast<int>(processors()), std::move(events));
  std::vector<Lane> running(processors());
  for (std::size_t i = 0; i < running.size(); ++i) {
    SpecRun::Settings settings;
    settings.file = file;
    settings.program = "perigee.test.bench_run";
    settings.json = "{\"file\":";
    append_json_string(settings.json, file);
    settings.json += ",\"filter\":";
    append_json_string(settings.json, command.test.filter);
    settings.json += ",\"lane\":" + std::to_string(i) + ",\"lanes\":" + std::to_string(running.size()) +
                     ",\"count\":" + std::to_string(command.bench.count) +
                     ",\"seconds\":" + std::to_string(command.bench.seconds) + "}";
    settings.options = options;
    settings.desk.config_path = command.config_path;
    settings.desk.sets = command.sets;
    settings.desk.time_limit = kPatience;
    settings.desk.count_allocations = true;
    settings.desk.recorder = recorder;
    settings.desk.lanes = lanes;
    settings.desk.lane = static_cast<int>(i);
    settings.desk.on_outcome = [](const script::TestDesk::Outcome&) {};
    running[i].run = std::make_unique<SpecRun>(std::move(settings), [&running, i, lanes] {
      lanes->leave();
      running[i].ended.set_value();
    });
  }
  for (Lane& lane : running) {
    lane.ended.get_future().wait();
    if (const std::string error = lane.run->error(); !error.empty()) {
      printer.failure(file, error.substr(0, error.find("\nstack traceback:\n\t[C]")));
    }
  }
}

int compare(const CommandLine& command) {
  std::vector<BenchRuns> runs;
  for (const std::string& path : command.bench.compare) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    runs.push_back(read_bench(text.str()));
    if (!file || runs.back().names.empty()) {
      std::fprintf(stderr, "perigee: %s holds no benchmarks\n", path.c_str());
      return 1;
    }
  }
  const std::string table = compare_bench(runs[0], runs[1]);
  if (table.empty()) {
    std::fprintf(stderr, "perigee: the two files have no benchmark in common\n");
    return 1;
  }
  std::fputs(table.c_str(), stdout);
  return 0;
}

}  // namespace

int run_bench(const CommandLine& command) {
  if (!command.bench.compare.empty()) {
    return compare(command);
  }
  CommandLine located = command;
  const auto options = load_command_options(located);
  const auto files = spec_files(command.paths, {"_bench.lua"});
  if (!options || !files) {
    if (!files) {
      std::fprintf(stderr, "perigee: %s\n", files.error().message.c_str());
    }
    return 1;
  }
  SpecLog log;
  set_log_sink(&log);
  net::SignalSource::block_signals({SIGPIPE});
  BenchPrinter printer;
  BenchProfiles profiles;
  if (!profiles.begin(command.bench)) {
    return 1;
  }
  std::printf("goos: linux\ngoarch: amd64\ncpu: %s\n", processor_name().c_str());
  const auto shared = std::make_shared<const Options>(*options);
  for (const std::string& file : *files) {
    std::printf("pkg: %s\n", file.c_str());
    std::fflush(stdout);
    run_file(located, shared, file, profiles.recorder(), printer);
  }
  const bool written = profiles.end();
  std::puts(printer.failed() ? "FAIL" : "PASS");
  std::fflush(stdout);
  set_log_sink(nullptr);
  return printer.failed() || !written ? 1 : 0;
}

}  // namespace perigee::server
