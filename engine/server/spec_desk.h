#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/queued_time.h"
#include "script/test_desk.h"
#include "server/bench_lanes.h"
#include "server/options.h"
#include "server/spec_log.h"
#include "server/test_app.h"
#include "server/test_client.h"
#include "server/test_upstreams.h"
#include "server/worker.h"

namespace perigee::server {

/// The desk of one file of tests: its apps, its clients, what its tests came to. Belongs to the thread of the file's
/// worker; what it says of the running test may be asked for anywhere.
class SpecDesk final : public script::TestDesk {
 public:
  struct Settings {
    std::string config_path;        ///< what apps are configured by; "" for the defaults
    std::vector<std::string> sets;  ///< overrides, as --set takes them
    double time_limit = 10;         ///< seconds a test may take
    Watchdog* watchdog = nullptr;   ///< stops what never ends
    script::Coverage::Total* coverage = nullptr;
    bool count_allocations = false;          ///< for allocated()
    profiler::Recorder* recorder = nullptr;  ///< of what the file's thread does
    std::shared_ptr<BenchLanes> lanes;       ///< of benchmarks
    int lane = 0;
    std::function<void(std::string_view name, std::string_view place)> on_begin;  ///< on the file's thread
    std::function<void(const Outcome& outcome)> on_outcome;                       ///< likewise
  };

  /// The test that runs now.
  struct Running {
    std::string name;          ///< "" between tests
    std::string place;         ///< file:line
    std::uint64_t number = 0;  ///< another for each test, for what is between them and for what cleans up after one
    Milliseconds spent = 0;    ///< of the time that it may take
  };

  explicit SpecDesk(Settings settings);
  ~SpecDesk() override;

  // --- any thread ---
  /// Charges what runs now for the time since the last look, but for what its thread waited for a processor, and for a
  /// time in which nobody could look.
  [[nodiscard]] Running look();
  /// The time of what runs is over: apps answer it no more, and `act` is called. Does nothing where something else runs
  /// by now than that number.
  void end_time(std::uint64_t number, const std::function<void()>& act);
  /// What Lua computes is stopped: of what runs, where that has that number.
  void interrupt(std::uint64_t number, Worker& worker);
  /// What counts the allocations of the file's VM; null where nothing does.
  [[nodiscard]] script::AllocationTally* tally() { return settings_.count_allocations ? &tally_ : nullptr; }

  // --- the file's thread ---
  /// Closes every app; the first error of their stop hooks.
  [[nodiscard]] Result<> close_all();

  [[nodiscard]] Result<int> open_app(const AppRequest& request) override;
  [[nodiscard]] Result<> close_app(int app) override;
  [[nodiscard]] std::string address(int app) override;
  [[nodiscard]] Result<int> open_client(int app) override;
  void close_client(int client) override;
  [[nodiscard]] bool send(int client, std::string_view request, bool is_head) override;
  [[nodiscard]] bool await(int client, Wanted wanted, double seconds) override;
  [[nodiscard]] http::AnswerReader& answer(int client) override {
    return clients_[at(client)] == nullptr ? none_ : clients_[at(client)]->answer();
  }
  [[nodiscard]] Result<int> open_upstream(const std::string& host, int port) override {
    return upstreams_.open(host, port);
  }
  void close_upstream(int upstream) override { upstreams_.close(upstream); }
  [[nodiscard]] std::optional<Call> next_call() override { return upstreams_.next(); }
  void answer_call(int connection, std::string_view bytes, bool last) override {
    upstreams_.answer(connection, bytes, last);
  }
  [[nodiscard]] bool has_upstreams() const override { return !upstreams_.empty(); }
  Attendant attend_by(Attendant attendant) override { return std::exchange(attendant_, std::move(attendant)); }
  [[nodiscard]] bool advance(double seconds) override;
  [[nodiscard]] script::LuaAllocator::Counts allocated() override { return tally_.sum(); }
  [[nodiscard]] Meeting meet(const Meeting& own) override;
  void bench_progress(std::string_view name, double n, int rounds) override;
  void bench_result(const Measured& measured) override { settings_.lanes->events().on_result(measured); }
  void bench_failed(std::string_view name, std::string_view message) override;
  void begin_test(std::string_view name, std::string_view place) override;
  void end_test(Outcome outcome) override;
  void renew() override;

 private:
  [[nodiscard]] static std::size_t at(int number) { return static_cast<std::size_t>(number); }
  [[nodiscard]] Milliseconds time_left() const;
  [[nodiscard]] bool is_over() const { return over_.load(std::memory_order_relaxed); }
  void run_next(std::string_view name, std::string_view place);
  [[nodiscard]] bool more_to_come(TestClient& client, Wanted wanted);
  void wait_for(TestClient& client, Milliseconds longest);
  [[nodiscard]] bool apps_turned();
  [[nodiscard]] bool attend_to(TestClient& client);
  void settle();
  [[nodiscard]] Attended attend() const { return attendant_ ? attendant_() : Attended{}; }
  void move_clock(Milliseconds by);

  Settings settings_;
  script::AllocationTally tally_;                     // before the apps, whose VMs it counts
  SpecLog::Page log_;                                 // what was logged during the test
  client::Detours detours_;                           // before the apps, which heed them
  std::vector<std::unique_ptr<TestApp>> apps_;        // by number; null once closed
  std::vector<std::unique_ptr<TestClient>> clients_;  // likewise
  http::AnswerReader none_;                           // what comes to a client that is closed
  TestUpstreams upstreams_{detours_};
  Attendant attendant_;            // while the test waits
  std::int64_t began_ns_ = 0;      // the running test, on the clock that nobody moves
  std::atomic<bool> over_{false};  // the time of what runs
  mutable std::mutex mutex_;
  Running running_;          // all below guarded by mutex_
  int thread_ = 0;           // the file's, as the kernel counts; 0: not known yet
  Milliseconds looked_ = 0;  // the last look, on the clock that nobody moves
  ThreadTimes times_;        // the thread's by then
  bool meets_ = false;       // waits for other lanes
};

}  // namespace perigee::server
