#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "script/test_desk.h"
#include "server/test_app.h"

namespace perigee::server {

/// The lanes of a file of benchmarks: threads that do the same in step, each with a VM, over state that they share. Any
/// thread.
class BenchLanes {
 public:
  using Meeting = script::TestDesk::Meeting;

  /// What is told of the benchmarks, on the thread of any lane.
  struct Events {
    std::function<void(std::string_view name, double n, int rounds)> on_progress;
    std::function<void(const script::TestDesk::Measured& measured)> on_result;
    std::function<void(std::string_view name, std::string_view message)> on_failure;
  };

  BenchLanes(int count, Events events) : count_(count), events_(std::move(events)) {}

  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] const Events& events() const { return events_; }

  /// What the lanes' apps with that number share: the first that each opened, and so on.
  [[nodiscard]] std::shared_ptr<TestState> state(std::size_t app);

  /// Waits for all lanes. The largest value is infinite once a lane has left.
  [[nodiscard]] Meeting meet(const Meeting& own);

  /// The calling lane comes to no meeting any more.
  void leave();

 private:
  const int count_;
  const Events events_;
  std::mutex mutex_;
  std::condition_variable met_;
  std::vector<std::shared_ptr<TestState>> states_;  // all below guarded by mutex_
  int waiting_ = 0;
  unsigned round_ = 0;
  bool left_ = false;
  Meeting gathered_;
  Meeting result_;
};

}  // namespace perigee::server
