#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "server/spec_desk.h"
#include "server/worker.h"

namespace perigee::server {

/// One file of tests or benchmarks while it runs: a VM of its own on a worker of its own. What it is asked is answered
/// on the thread that made it.
class SpecRun {
 public:
  struct Settings {
    std::string file;
    std::string program;  ///< the embedded module that runs the file: "perigee.test.run"
    std::string json;     ///< what that is told, a JSON object
    std::shared_ptr<const Options> options;
    SpecDesk::Settings desk;
  };

  /// Begins. `on_change` is called on any thread when the file has ended.
  SpecRun(Settings settings, std::function<void()> on_change);
  /// Joins the file's thread. REQUIRES: finished().
  ~SpecRun();
  SpecRun(const SpecRun&) = delete;
  SpecRun& operator=(const SpecRun&) = delete;

  [[nodiscard]] bool finished() const;
  /// Why the file as a whole failed; "" where it did not. REQUIRES: finished().
  [[nodiscard]] std::string error() const;
  [[nodiscard]] const std::string& file() const { return settings_.file; }

  /// What to do about a test that takes too long.
  enum class Patience { kLeft, kCancelled, kGone };
  /// Looks at the clock, every 50 ms or so: what takes too long is cancelled where it waits, then stopped where it
  /// computes; kGone where even that did not end it.
  [[nodiscard]] Patience watch();
  /// What it watched last.
  [[nodiscard]] const SpecDesk::Running& running() const { return running_; }

 private:
  void end(const std::string& error);

  Settings settings_;
  std::function<void()> on_change_;
  SpecDesk desk_;
  TestState state_;
  WorkQueue helpers_{1, 256};  // stopped before the worker ends
  std::unique_ptr<Worker> worker_;
  SpecDesk::Running running_;
  std::uint64_t cancelled_ = 0;  // the number of the test that was cancelled
  mutable std::mutex mutex_;
  bool finished_ = false;  // guarded by mutex_
  std::string error_;      // guarded by mutex_
};

}  // namespace perigee::server
