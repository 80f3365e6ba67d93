#include "base/work_queue.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/signals_blocked.h"

namespace perigee {
namespace {

constexpr int kNice = 5;  // those who serve requests come first

}  // namespace

void come_after_others() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
}

bool WorkQueue::offer(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= capacity_) {
      return false;
    }
    waiting_.push_back(std::move(work));
    if (idle_ < waiting_.size() && threads_.size() < most_threads_ && !add_thread()) {
      waiting_.pop_back();
      return false;
    }
  }
  wake_.notify_one();
  return true;
}

// False when there is none to do the work. REQUIRES: the mutex is held.
bool WorkQueue::add_thread() {
  const SignalsBlocked blocked;
  try {
    threads_.emplace_back([this] { run(); });
  } catch (const std::exception&) {  // no thread, or no memory to remember it
    return !threads_.empty();
  }
  return true;
}

void WorkQueue::run() {
  pthread_setname_np(pthread_self(), "perigee-work");
  come_after_others();
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    --idle_;
    if (stopped_) {
      return;
    }
    std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      work();
    } catch (const std::bad_alloc&) {
      log_event(LogLevel::kError, "not enough memory for work off the workers");
    }
    work = nullptr;
    lock.lock();
  }
}

void WorkQueue::stop() {
  std::vector<std::thread> threads;
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    threads.swap(threads_);
    dropped.swap(waiting_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace perigee
