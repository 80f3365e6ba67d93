#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace perigee {

/// The calling thread leaves the processor to threads that serve requests.
void come_after_others();

/// A few threads for work that would hold up a worker, and a bounded queue before them. The threads start with the
/// first offer. Any thread may call.
class WorkQueue {
 public:
  WorkQueue(std::size_t threads, std::size_t capacity) : most_threads_(threads), capacity_(capacity) {}
  ~WorkQueue() { stop(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Has `work` run on one of the threads, in the order of the offers. False: the queue is full, was
  /// stopped, or there is no thread to be had.
  [[nodiscard]] bool offer(std::function<void()> work);

  /// Drops what has not begun, and waits for what has.
  void stop();

 private:
  void run();
  [[nodiscard]] bool add_thread();

  const std::size_t most_threads_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  std::vector<std::thread> threads_;           // likewise
  std::size_t idle_ = 0;                       // likewise
  bool stopped_ = false;                       // likewise
};

}  // namespace perigee
