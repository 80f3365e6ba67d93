#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/watchdog.h"
#include "script/coverage.h"
#include "server/command_line.h"
#include "server/run_record.h"
#include "server/spec_run.h"
#include "server/test_report.h"

namespace perigee::server {

/// Runs files until none is left, and keeps what had to be given up.
class TestRun {
 public:
  /// `record`: what is told to whoever watches over this process.
  TestRun(const CommandLine& command, std::shared_ptr<const Options> options, RunRecord& record)
      : command_(command), options_(std::move(options)), record_(record) {}

  /// Runs the files and returns how many did not end: their threads go on.
  std::size_t run(std::vector<std::string> files);

  [[nodiscard]] TestReport& report() { return report_; }
  /// What of the files' sources was run, where the command asks for it.
  [[nodiscard]] const script::Coverage::Total& coverage() const { return coverage_; }

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

}  // namespace perigee::server
