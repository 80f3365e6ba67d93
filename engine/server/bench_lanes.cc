#include "server/bench_lanes.h"

#include <algorithm>
#include <limits>

namespace perigee::server {

std::shared_ptr<TestState> BenchLanes::state(std::size_t app) {
  const std::lock_guard lock(mutex_);
  while (states_.size() <= app) {
    states_.push_back(std::make_shared<TestState>());
  }
  return states_[app];
}

BenchLanes::Meeting BenchLanes::meet(const Meeting& own) {
  constexpr Meeting kOver{std::numeric_limits<double>::infinity(), 0, 0};
  std::unique_lock lock(mutex_);
  gathered_.largest = waiting_ == 0 ? own.largest : std::max(gathered_.largest, own.largest);
  gathered_.first = (waiting_ == 0 ? 0 : gathered_.first) + own.first;
  gathered_.second = (waiting_ == 0 ? 0 : gathered_.second) + own.second;
  if (++waiting_ == count_) {
    waiting_ = 0;
    ++round_;
    result_ = gathered_;
    met_.notify_all();
    return result_;
  }
  const unsigned round = round_;
  met_.wait(lock, [&] { return round_ != round || left_; });
  return round_ != round ? result_ : kOver;
}

void BenchLanes::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  met_.notify_all();
}

}  // namespace perigee::server
