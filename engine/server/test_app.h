#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "client/detours.h"
#include "net/event_loop.h"
#include "profiler/error_desk.h"
#include "profiler/route_latencies.h"
#include "server/background.h"
#include "server/connection_limits.h"
#include "server/options.h"
#include "server/spec_log.h"
#include "server/worker.h"
#include "state/memory_sessions.h"
#include "state/rate_limiter.h"
#include "state/shared_dictionaries.h"

namespace perigee::server {

/// What the workers of an app under test share.
struct TestState {
  ConnectionLimits limits;
  state::RateLimiter rates;
  state::SharedDictionaries shared;
  state::MemorySessions sessions{{}, monotonic_ms()};
  state::Topics topics;
  profiler::ErrorDesk errors;
  profiler::RouteNames route_names;

  /// Gives dictionaries, sessions and topics the bounds that the options say.
  void apply(const Options& options);
};

/// An app under test: one worker with state of its own, which nothing outlives. In memory it runs on the thread that
/// opened it, whenever that turns it; served it has a thread and a port. Its opener's thread only.
class TestApp {
 public:
  struct Settings {
    bool served = false;
    Milliseconds patience = 10'000;    ///< for its file and its start hooks
    std::function<bool()> is_over;     ///< says instead when the time for its start hooks is over
    SpecLog::Page* log = nullptr;      ///< what a served one logs goes there
    std::shared_ptr<TestState> state;  ///< null: one of its own
    int lane = 0;                      ///< its number among those that share a state
    int lanes = 1;
    Watchdog* watchdog = nullptr;                    ///< of jobs that never end
    script::AllocationTally* allocations = nullptr;  ///< what its VMs allocate is counted there
    script::Coverage::Total* coverage = nullptr;
    const client::Detours* detours = nullptr;  ///< they outlive the app
    /// Called while start and stop hooks are waited for; true when it did something.
    std::function<bool()> meanwhile;
  };

  /// Loads the app that the options name and runs its start hooks. The error holds every mistake, a line each.
  [[nodiscard]] static Result<std::unique_ptr<TestApp>> open(const Options& options, const Settings& settings);
  ~TestApp();
  /// Runs its stop hooks, once: what went wrong with them. Nothing is asked of it after that.
  Result<> close();
  TestApp(const TestApp&) = delete;
  TestApp& operator=(const TestApp&) = delete;

  /// "127.0.0.1:8080" where it is served, else "".
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] bool served() const { return !address_.empty(); }
  [[nodiscard]] Worker& worker() { return worker_; }

  /// Lets go of the sessions whose time is over.
  void sweep() { state_->sessions.sweep(monotonic_ms()); }

  /// Does what is at hand, and in memory waits for something to do, `longest` milliseconds at most. True when there is
  /// more at once.
  bool turn(Milliseconds longest);
  /// Ends a turn that began with Worker::begin_turn().
  void finish_turn() { busy_ = worker_.loop().finish_turn(); }

 private:
  TestApp(std::shared_ptr<const Options> options, const Settings& settings);
  [[nodiscard]] Worker::Setup shared_setup(const Settings& settings);
  [[nodiscard]] Worker::Setup setup(const Settings& settings);
  [[nodiscard]] Result<> start(std::unique_ptr<script::Vm> vm, const Settings& settings);
  [[nodiscard]] Result<> bind();
  [[nodiscard]] bool stop();
  void note_stop_error(const std::string& error);
  [[nodiscard]] bool meanwhile() const { return meanwhile_ && meanwhile_(); }
  void ring() {}

  std::shared_ptr<const Options> options_;
  std::shared_ptr<TestState> state_;
  WorkQueue helpers_{1, 256};  // stopped before the worker ends
  Background background_;      // likewise
  Worker worker_;
  TimerOf<TestApp, &TestApp::ring> alarm_;
  std::string address_;
  std::vector<net::ListenSocket> socket_;  // bound, until the worker listens
  bool threaded_ = false;
  bool busy_ = false;            // there is more to do at once
  bool has_stop_hooks_ = false;  // that have not run
  std::mutex mutex_;
  std::string stop_error_;  // under the mutex: what stop hooks raised
  const std::function<bool()> meanwhile_;
};

/// Milliseconds on this thread's clock as it would be had nobody moved it on.
[[nodiscard]] inline Milliseconds real_ms() {
  return monotonic_ms() - clock_ahead;
}

}  // namespace perigee::server
