// `perigee test`: runs files of tests, several at a time, and says what came of them.

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "base/clock.h"
#include "net/signal_source.h"
#include "server/command_options.h"
#include "server/command_output.h"
#include "server/commands.h"
#include "server/coverage_report.h"
#include "server/interruption.h"
#include "server/overseen.h"
#include "server/spec_files.h"
#include "server/spec_log.h"
#include "server/test_report.h"
#include "server/test_run.h"

namespace perigee::server {
namespace {

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
  if (unfinished.empty()) {
    report.keep("", {"error", "the run as a whole", "after its last test", "the process ended " + how, 0});
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
