// `perigee bench`: runs files of benchmarks, one after the other, and compares what earlier runs came to.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/escape.h"
#include "base/watchdog.h"
#include "net/signal_source.h"
#include "server/bench_lanes.h"
#include "server/bench_profile.h"
#include "server/bench_results.h"
#include "server/command_options.h"
#include "server/command_output.h"
#include "server/commands.h"
#include "server/interruption.h"
#include "server/overseen.h"
#include "server/spec_files.h"
#include "server/spec_log.h"
#include "server/spec_run.h"

namespace perigee::server {
namespace {

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
  /// Nothing more is shown of a benchmark's progress.
  void end() {
    const std::lock_guard lock(mutex_);
    clear();
  }

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

// Seconds that one run of a benchmark may take.
double time_limit(const BenchFlags& flags) {
  constexpr double kUsual = 60;
  return flags.time_limit > 0 ? flags.time_limit : std::max(kUsual, 5 * flags.seconds);
}

/// One file of benchmarks while it runs, on all its lanes.
class BenchRun {
 public:
  /// How it ended.
  enum class End { kWell, kStuck, kInterrupted };

  BenchRun(const CommandLine& command, std::string file, BenchPrinter& printer, RunRecord& record)
      : command_(command), file_(std::move(file)), printer_(printer), record_(record) {}

  /// Runs it. Where it is stuck or interrupted, its threads go on.
  [[nodiscard]] End run(const std::shared_ptr<const Options>& options, profiler::Recorder* recorder);

 private:
  [[nodiscard]] std::string program_config(std::size_t lane) const;
  void begin_lane(std::size_t lane, const std::shared_ptr<const Options>& options, profiler::Recorder* recorder);
  [[nodiscard]] BenchLanes::Events events();
  [[nodiscard]] bool is_stuck();
  [[nodiscard]] bool all_finished() const;

  const CommandLine& command_;
  const std::string file_;
  BenchPrinter& printer_;
  RunRecord& record_;
  Watchdog watchdog_;
  std::shared_ptr<BenchLanes> lanes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<SpecRun>> running_;  // by lane; before the others it ends
};

std::string BenchRun::program_config(std::size_t lane) const {
  std::string json = "{\"file\":";
  append_json_string(json, file_);
  json += ",\"filter\":";
  append_json_string(json, command_.test.filter);
  return json + ",\"lane\":" + std::to_string(lane) + ",\"lanes\":" + std::to_string(lanes_->count()) +
         ",\"count\":" + std::to_string(command_.bench.count) +
         ",\"seconds\":" + std::to_string(command_.bench.seconds) +
         ",\"time_limit\":" + std::to_string(time_limit(command_.bench)) + "}";
}

BenchLanes::Events BenchRun::events() {
  BenchLanes::Events events;
  events.on_progress = [this](std::string_view name, double n, int rounds) { printer_.progress(name, n, rounds); };
  events.on_result = [this](const script::TestDesk::Measured& measured) { printer_.result(measured); };
  events.on_failure = [this](std::string_view name, std::string_view message) {
    printer_.failure("Benchmark" + std::string(name), std::string(message));
  };
  return events;
}

void BenchRun::begin_lane(std::size_t lane, const std::shared_ptr<const Options>& options,
                          profiler::Recorder* recorder) {
  SpecRun::Settings settings;
  settings.file = file_;
  settings.program = "perigee.test.bench_run";
  settings.json = program_config(lane);
  settings.options = options;
  settings.desk.config_path = command_.config_path;
  settings.desk.sets = command_.sets;
  settings.desk.time_limit = time_limit(command_.bench);
  settings.desk.watchdog = &watchdog_;
  settings.desk.count_allocations = true;
  settings.desk.recorder = recorder;
  settings.desk.lanes = lanes_;
  settings.desk.lane = static_cast<int>(lane);
  settings.desk.on_begin = [this](std::string_view name, std::string_view place) { record_.begin(file_, name, place); };
  settings.desk.on_outcome = [](const script::TestDesk::Outcome&) {};
  running_.push_back(std::make_unique<SpecRun>(std::move(settings), [this] {
    const std::lock_guard lock(mutex_);
    lanes_->leave();
    changed_.notify_one();
  }));
}

bool BenchRun::all_finished() const {
  return std::all_of(running_.begin(), running_.end(), [](const auto& run) { return run->finished(); });
}

// Whether a benchmark does not end and can't be stopped.
bool BenchRun::is_stuck() {
  for (const auto& run : running_) {
    if (!run->finished() && run->watch() == SpecRun::Patience::kGone) {
      const std::string& name = run->running().name;
      std::ostringstream why;
      why << run->running().place << ": did not end within " << time_limit(command_.bench)
          << " s (--timeout) and can't be stopped";
      printer_.failure(name.empty() ? file_ : "Benchmark" + name, why.str());
      return true;
    }
  }
  return false;
}

BenchRun::End BenchRun::run(const std::shared_ptr<const Options>& options, profiler::Recorder* recorder) {
  constexpr auto kLook = std::chrono::milliseconds(50);
  lanes_ = std::make_shared<BenchLanes>(static_cast<int>(processors()), events());
  record_.begin(file_, "", file_);
  for (std::size_t lane = 0; lane < processors(); ++lane) {
    begin_lane(lane, options, recorder);
  }
  for (std::unique_lock lock(mutex_); !changed_.wait_for(lock, kLook, [this] { return all_finished(); });) {
    if (is_stuck()) {
      return End::kStuck;
    }
    if (Interruption::caught() != 0) {
      return End::kInterrupted;
    }
  }
  for (const auto& run : running_) {
    if (const std::string error = run->error(); !error.empty()) {
      printer_.failure(file_, error.substr(0, error.find("\nstack traceback:\n\t[C]")));
    }
  }
  record_.file_done(file_);
  return End::kWell;
}

int compare(const CommandLine& command) {
  std::vector<BenchRuns> runs;
  for (const std::string& path : command.bench.compare) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    runs.push_back(read_bench(text.str()));
    if (!file || runs.back().names.empty()) {
      print_mistake(path + " holds no benchmarks");
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
  BenchPrinter printer;
  BenchProfiles profiles;
  if (!profiles.begin(command.bench)) {
    record.close();
    return 1;
  }
  std::printf("goos: linux\ngoarch: amd64\ncpu: %s\n", processor_name().c_str());
  for (const std::string& file : files) {
    std::printf("pkg: %s\n", file.c_str());
    std::fflush(stdout);
    auto run = std::make_unique<BenchRun>(command, file, printer, record);
    switch (run->run(options, profiles.recorder())) {
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
