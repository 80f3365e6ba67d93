// `perigee test`: runs files of tests, several at a time, and says what came of them.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "base/escape.h"
#include "net/signal_source.h"
#include "server/command_options.h"
#include "server/command_output.h"
#include "server/commands.h"
#include "server/config_loader.h"
#include "server/coverage_report.h"
#include "server/interruption.h"
#include "server/overseen.h"
#include "server/spec_files.h"
#include "server/spec_log.h"
#include "server/spec_run.h"
#include "server/test_report.h"

namespace perigee::server {
namespace {

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", seconds);
  return text;
}

/// Runs files until none is left, and keeps what had to be given up.
class TestRun {
 public:
  /// `record`: what is told to whoever watches over this process.
  TestRun(const CommandLine& command, std::shared_ptr<const Options> options, RunRecord& record)
      : command_(command), options_(std::move(options)), record_(record) {}

  /// Runs the files and returns how many did not end: their threads go on.
  std::size_t run(std::vector<std::string> files);

  [[nodiscard]] const script::Coverage::Total& coverage() const { return coverage_; }
  [[nodiscard]] TestReport& report() { return report_; }

 private:
  [[nodiscard]] std::unique_ptr<SpecRun> begin(const std::string& file);
  void add(const std::string& file, const TestReport::Outcome& outcome);
  void end(const SpecRun& run);
  void give_up(const SpecRun& run, const std::string& why);
  void leave(std::size_t i);
  void look_after_running();

  const CommandLine& command_;
  std::shared_ptr<const Options> options_;
  RunRecord& record_;
  TestReport report_;
  script::Coverage::Total coverage_;
  Watchdog watchdog_;
  std::vector<std::unique_ptr<SpecRun>> running_;
  std::size_t given_up_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  // guarded by mutex_: some file has
};

void append_json_list(std::string& json, const std::vector<std::string>& list) {
  json += '[';
  for (const std::string& text : list) {
    json += json.ends_with('[') ? "" : ",";
    append_json_string(json, text);
  }
  json += ']';
}

// What the program that runs a file is told (lua/perigee/test/run.lua).
std::string program_config(const TestFlags& flags, const std::string& file) {
  std::string json = "{\"file\":";
  append_json_string(json, file);
  json += ",\"filter\":";
  append_json_string(json, flags.filter);
  json += ",\"filter_out\":";
  append_json_string(json, flags.filter_out);
  json += ",\"tags\":";
  append_json_list(json, flags.tags);
  json += ",\"exclude_tags\":";
  append_json_list(json, flags.exclude_tags);
  return json + ",\"seed\":" + std::to_string(flags.seed) + "}";
}

std::unique_ptr<SpecRun> TestRun::begin(const std::string& file) {
  SpecRun::Settings settings;
  settings.file = file;
  settings.program = "perigee.test.run";
  settings.json = program_config(command_.test, file);
  settings.options = options_;
  settings.desk.watchdog = &watchdog_;
  settings.desk.coverage = command_.test.coverage ? &coverage_ : nullptr;
  settings.desk.config_path = command_.config_path;
  settings.desk.sets = command_.sets;
  settings.desk.time_limit = command_.test.time_limit;
  record_.begin(file, "", file);
  settings.desk.on_begin = [this, file](std::string_view name, std::string_view place) {
    record_.begin(file, name, place);
  };
  settings.desk.on_outcome = [this, file](const script::TestDesk::Outcome& outcome) { add(file, outcome); };
  return std::make_unique<SpecRun>(std::move(settings), [this] {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  });
}

void TestRun::add(const std::string& file, const TestReport::Outcome& outcome) {
  report_.add(file, outcome);
  record_.end(file, outcome);
}

void TestRun::end(const SpecRun& run) {
  if (const std::string error = run.error(); !error.empty()) {
    add(run.file(), {"error", "the file as a whole", run.file(), error, 0});
  }
  record_.file_done(run.file());
}

// What runs in a file and can't be stopped from here is an error: the file's other tests are lost.
void TestRun::give_up(const SpecRun& run, const std::string& why) {
  const SpecDesk::Running& test = run.running();
  add(run.file(), {"error", test.name.empty() ? "the file as a whole" : test.name,
                   test.place.empty() ? run.file() : test.place, why, static_cast<double>(test.spent) * 1e-3});
  ++given_up_;
}

// Has the file run on alone: its thread still uses what it was given.
void TestRun::leave(std::size_t i) {
  (void)running_[i].release();
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
}

void TestRun::look_after_running() {
  for (std::size_t i = 0; i < running_.size();) {
    const int signal = Interruption::caught();
    if (running_[i]->finished()) {
      end(*running_[i]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (running_[i]->watch() == SpecRun::Patience::kGone) {
      give_up(*running_[i], "did not end within " + seconds_text(command_.test.time_limit) +
                                " seconds (--timeout) and can't be stopped: the rest of the file is given up");
      leave(i);
    } else if (signal != 0) {
      give_up(*running_[i], std::string("interrupted by ") + (signal == SIGINT ? "SIGINT" : "SIGTERM") +
                                ": the rest of the file is not run");
      leave(i);
    } else {
      ++i;
    }
  }
}

std::size_t TestRun::run(std::vector<std::string> files) {
  constexpr auto kLook = std::chrono::milliseconds(50);
  const auto jobs = static_cast<std::size_t>(
      command_.test.jobs > 0 ? command_.test.jobs : std::max(1U, std::thread::hardware_concurrency()));
  std::shuffle(files.begin(), files.end(), std::mt19937(static_cast<std::uint32_t>(command_.test.seed)));
  while ((!files.empty() && Interruption::caught() == 0) || !running_.empty()) {
    while (Interruption::caught() == 0 && !files.empty() && running_.size() < jobs) {
      running_.push_back(begin(files.back()));
      files.pop_back();
    }
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kLook, [this] { return ended_; });
      ended_ = false;
    }
    look_after_running();
  }
  return given_up_;
}

// Prints the table and writes the page.
bool report_coverage(const CoverageReport& report, const std::string& folder) {
  std::printf("\n%s", report.table().c_str());
  const auto page = report.write(folder);
  if (!page) {
    print_mistake(page.error().message);
    return false;
  }
  std::printf("page: %s\n", page->c_str());
  return true;
}

// Prints what has come of all, and writes it to the file that was asked for. Whether that went well.
bool report_all(TestReport& report, const CommandLine& command, std::int64_t began) {
  const double seconds = static_cast<double>(monotonic_ns() - began) * 1e-9;
  report.print_summary(seconds, command.test.seed);
  return command.test.junit.empty() || write_output(command.test.junit, report.junit(seconds));
}

bool chooses(const TestFlags& flags) {
  return !flags.filter.empty() || !flags.filter_out.empty() || !flags.tags.empty() || !flags.exclude_tags.empty();
}

// Runs the files in this process.
int run_files(const CommandLine& command, const std::shared_ptr<const Options>& options,
              const std::vector<std::string>& files, RunRecord& record) {
  static SpecLog log;  // threads that were left alone log to the end
  set_log_sink(&log);
  net::SignalSource::block_signals({SIGPIPE});
  const Interruption interruption;
  const std::int64_t began = monotonic_ns();
  static std::unique_ptr<TestRun> run;  // likewise
  run = std::make_unique<TestRun>(command, options, record);
  const std::size_t left = run->run(files);
  const int signal = Interruption::caught();
  if (run->report().empty() && signal == 0) {
    print_mistake(chooses(command.test) ? "no test was run: the filters and tags choose none" : "no test was run");
  }
  bool well = report_all(run->report(), command, began) && !run->report().failed();
  if (command.test.coverage && signal == 0) {
    well = report_coverage({run->coverage().files(), files}, command.test.coverage_dir) && well;
  }
  const int code = signal != 0 ? Interruption::exit_code(signal) : well ? 0 : 1;
  record.close();
  if (left > 0) {
    std::fflush(nullptr);
    std::_Exit(code);  // threads are busy with what never ends
  }
  run.reset();
  set_log_sink(nullptr);
  return code;
}

// The process that ran the files has ended in the middle: says what it had done by then, and where that was.
int report_end(const RunRecord& record, const CommandLine& command, const std::string& how, std::int64_t began) {
  TestReport report;
  for (const RunRecord::Entry& entry : record.entries()) {
    if (entry.kind == RunRecord::Entry::Kind::kEnded) {
      report.keep(entry.file, entry.outcome);
    }
  }
  const std::vector<RunRecord::Entry> unfinished = record.unfinished();
  for (const RunRecord::Entry& entry : unfinished) {
    RunRecord::Outcome outcome = entry.outcome;
    outcome.status = "error";
    outcome.name = outcome.name.empty() ? "the file as a whole" : outcome.name;
    outcome.message = "the process ended here, " + how;
    outcome.message += unfinished.size() > 1 ? ", or in a test that ran beside it: --jobs 1 tells" : "";
    report.keep(entry.file, outcome);
  }
  (void)report_all(report, command, began);
  print_mistake("the process that ran the tests ended " + how + ", before all had run");
  return 1;
}

}  // namespace

int run_test(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  const auto files = spec_files(command.paths, {"_spec.lua", "_test.lua"});
  if (!files) {
    print_mistake(files.error().message);
    return 1;
  }
  if (located.test.seed < 0) {
    located.test.seed = static_cast<std::int64_t>(std::random_device()() % 100'000);
  }
  const auto shared = std::make_shared<const Options>(*options);
  const std::int64_t began = monotonic_ns();
  return oversee(
      [&](RunRecord& record) { return run_files(located, shared, *files, record); },
      [&](const RunRecord& record, const std::string& how) { return report_end(record, located, how, began); });
}

}  // namespace perigee::server
