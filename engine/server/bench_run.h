#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/watchdog.h"
#include "server/bench_lanes.h"
#include "server/bench_printer.h"
#include "server/command_line.h"
#include "server/run_record.h"
#include "server/spec_run.h"

namespace perigee::server {

/// One file of benchmarks while it runs, on all its lanes. One thread.
class BenchRun {
 public:
  /// What the files of a command have in common. All of it outlives them.
  struct Setup {
    const CommandLine& command;
    std::shared_ptr<const Options> options;
    unsigned lanes;
    BenchPrinter& printer;
    RunRecord& record;
    profiler::Recorder* recorder;  ///< null where nothing is recorded
  };
  /// How it ended.
  enum class End { kWell, kStuck, kInterrupted };

  BenchRun(const Setup& setup, std::string file) : setup_(setup), file_(std::move(file)) {}

  /// Runs it. Where it is stuck or interrupted its threads go on, and it has to outlive them.
  [[nodiscard]] End run();

 private:
  [[nodiscard]] double time_limit() const;
  [[nodiscard]] std::string program_config(std::size_t lane) const;
  void begin_lane(std::size_t lane);
  [[nodiscard]] BenchLanes::Events events();
  [[nodiscard]] bool is_stuck();
  [[nodiscard]] bool all_finished() const;

  const Setup setup_;
  const std::string file_;
  Watchdog watchdog_;
  std::shared_ptr<BenchLanes> lanes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<SpecRun>> running_;  // by lane; before the others it ends
};

}  // namespace perigee::server
