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
#include "server/commands.h"
#include "server/config_loader.h"
#include "server/coverage_report.h"
#include "server/spec_files.h"
#include "server/spec_log.h"
#include "server/spec_run.h"
#include "server/test_report.h"
#include "server/written_file.h"

namespace perigee::server {
namespace {

/// Runs files until none is left, and keeps what had to be given up.
class TestRun {
 public:
  TestRun(const CommandLine& command, std::shared_ptr<const Options> options)
      : command_(command), options_(std::move(options)), seed_(command.test.seed) {
    if (seed_ < 0) {
      seed_ = static_cast<std::int64_t>(std::random_device()() % 100'000);
    }
  }

  /// Runs the files and returns how many were given up: their threads go on.
  std::size_t run(std::vector<std::string> files);

  [[nodiscard]] const script::Coverage::Total& coverage() const { return coverage_; }
  [[nodiscard]] TestReport& report() { return report_; }
  [[nodiscard]] std::int64_t seed() const { return seed_; }

 private:
  [[nodiscard]] std::unique_ptr<SpecRun> begin(const std::string& file);
  void end(const SpecRun& run);
  void give_up(const SpecRun& run);
  void look_after_running();

  const CommandLine& command_;
  std::shared_ptr<const Options> options_;
  std::int64_t seed_;
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
std::string program_config(const TestFlags& flags, const std::string& file, std::int64_t seed) {
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
  return json + ",\"seed\":" + std::to_string(seed) + "}";
}

std::unique_ptr<SpecRun> TestRun::begin(const std::string& file) {
  SpecRun::Settings settings;
  settings.file = file;
  settings.program = "perigee.test.run";
  settings.json = program_config(command_.test, file, seed_);
  settings.options = options_;
  settings.desk.watchdog = &watchdog_;
  settings.desk.coverage = command_.test.coverage ? &coverage_ : nullptr;
  settings.desk.config_path = command_.config_path;
  settings.desk.sets = command_.sets;
  settings.desk.time_limit = command_.test.time_limit;
  settings.desk.on_outcome = [this, file](const script::TestDesk::Outcome& outcome) { report_.add(file, outcome); };
  return std::make_unique<SpecRun>(std::move(settings), [this] {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  });
}

void TestRun::end(const SpecRun& run) {
  if (const std::string error = run.error(); !error.empty()) {
    report_.add(run.file(), {"error", "the file as a whole", run.file(), error, 0});
  }
}

// Lua code that never returns can't be stopped from here: the file's other tests are lost, the other files go on.
void TestRun::give_up(const SpecRun& run) {
  const SpecDesk::Running& test = run.running();
  const std::string limit = std::to_string(command_.test.time_limit);
  report_.add(run.file(), {"error", test.name.empty() ? "the file as a whole" : test.name,
                           test.place.empty() ? run.file() : test.place,
                           "did not end within " + limit.substr(0, limit.find('.') + 3) +
                               " seconds (--timeout) and can't be stopped: the rest of the file is given up",
                           command_.test.time_limit});
  ++given_up_;
}

void TestRun::look_after_running() {
  for (std::size_t i = 0; i < running_.size();) {
    const bool finished = running_[i]->finished();
    if (!finished && running_[i]->watch() != SpecRun::Patience::kGone) {
      ++i;
      continue;
    }
    if (finished) {
      end(*running_[i]);
      running_[i].reset();
    } else {
      give_up(*running_[i]);
      (void)running_[i].release();  // its thread still uses it
    }
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::size_t TestRun::run(std::vector<std::string> files) {
  constexpr auto kLook = std::chrono::milliseconds(50);
  const auto jobs = static_cast<std::size_t>(
      command_.test.jobs > 0 ? command_.test.jobs : std::max(1U, std::thread::hardware_concurrency()));
  std::shuffle(files.begin(), files.end(), std::mt19937(static_cast<std::uint32_t>(seed_)));
  while (!files.empty() || !running_.empty()) {
    while (!files.empty() && running_.size() < jobs) {
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
    std::fprintf(stderr, "perigee: %s\n", page.error().message.c_str());
    return false;
  }
  std::printf("page: %s\n", page->c_str());
  return true;
}

bool write_junit(const std::string& path, const std::string& text) {
  const auto written = write_file(path, text);
  if (!written) {
    std::fprintf(stderr, "perigee: %s\n", written.error().message.c_str());
  }
  return written.has_value();
}

bool chooses(const TestFlags& flags) {
  return !flags.filter.empty() || !flags.filter_out.empty() || !flags.tags.empty() || !flags.exclude_tags.empty();
}

}  // namespace

int run_test(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  auto files = spec_files(command.paths, {"_spec.lua", "_test.lua"});
  if (!files) {
    std::fprintf(stderr, "perigee: %s\n", files.error().message.c_str());
    return 1;
  }
  const std::vector<std::string> tests = *files;
  static SpecLog log;  // threads that were given up log to the end
  set_log_sink(&log);
  net::SignalSource::block_signals({SIGPIPE});
  const std::int64_t began = monotonic_ns();
  static std::unique_ptr<TestRun> run;  // likewise
  run = std::make_unique<TestRun>(located, std::make_shared<const Options>(*options));
  const std::size_t given_up = run->run(std::move(*files));
  const double seconds = static_cast<double>(monotonic_ns() - began) * 1e-9;
  run->report().print_summary(seconds, run->seed());
  if (run->report().empty()) {
    std::fprintf(stderr, "perigee: no test was run%s\n",
                 chooses(command.test) ? ": the filters and tags choose none" : "");
  }
  bool failed = run->report().failed();
  if (!command.test.junit.empty()) {
    failed = !write_junit(command.test.junit, run->report().junit(seconds)) || failed;
  }
  if (command.test.coverage) {
    failed = !report_coverage({run->coverage().files(), tests}, command.test.coverage_dir) || failed;
  }
  if (given_up > 0) {
    std::fflush(nullptr);
    std::_Exit(1);  // threads are busy with Lua code that never ends
  }
  run.reset();
  set_log_sink(nullptr);
  return failed ? 1 : 0;
}

}  // namespace perigee::server
