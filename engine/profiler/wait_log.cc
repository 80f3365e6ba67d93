#include "profiler/wait_log.h"

namespace perigee::profiler {

void WaitLog::stop() {
  recording_.store(false, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  open_.clear();
  ended_.clear();
}

std::vector<WaitLog::Wait> WaitLog::open() const {
  const std::lock_guard lock(mutex_);
  std::vector<Wait> all;
  for (const auto& [task, wait] : open_) {
    all.push_back(wait);
  }
  return all;
}

void WaitLog::begin(const void* task, Wait wait) {
  const std::lock_guard lock(mutex_);
  if (recording()) {
    open_[task] = std::move(wait);
  }
}

bool WaitLog::knows(const void* task) const {
  const std::lock_guard lock(mutex_);
  return open_.contains(task);
}

void WaitLog::end(const void* task, Wait wait) {
  const std::lock_guard lock(mutex_);
  if (const auto begun = open_.find(task); begun != open_.end()) {
    if (wait.stack.empty()) {
      wait.stack = std::move(begun->second.stack);
    }
    open_.erase(begun);
  }
  if (ended_.size() >= kMost) {
    lost_.fetch_add(1, std::memory_order_relaxed);
  } else if (recording()) {
    ended_.push_back(std::move(wait));
  }
}

void WaitLog::forget(const void* task) {
  const std::lock_guard lock(mutex_);
  open_.erase(task);
}

}  // namespace perigee::profiler
