#include "net/event_loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cassert>
#include <limits>
#include <new>
#include <utility>

#include "base/log.h"
#include "net/connection.h"

namespace perigee::net {
namespace {

constexpr Milliseconds kNever = std::numeric_limits<Milliseconds>::max();

event_base* new_base() {
  std::unique_ptr<event_config, decltype(&event_config_free)> config(event_config_new(), &event_config_free);
  if (config == nullptr) {
    throw std::bad_alloc();
  }
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config.get());
  if (base == nullptr) {
    throw std::bad_alloc();
  }
  return base;
}

// Work that runs out of memory loses itself, never the loop.
void run_guarded(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
    log_event(LogLevel::kError, "out of memory: one piece of work on an event loop was dropped");
  }
}

}  // namespace

void EventLoop::BaseDeleter::operator()(event_base* base) const {
  event_base_free(base);
}
void EventLoop::EventDeleter::operator()(event* event) const {
  event_free(event);
}

EventLoop::EventLoop()
    : base_(new_base()), timers_(monotonic_ms()), armed_(kNever), thread_(std::this_thread::get_id()) {
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  // libevent's clock is coarse: the wake-up may come before the wheel's tick, and must then be asked for again.
  timer_event_.reset(event_new(
      base_.get(), -1, 0, [](int, short, void* self) { static_cast<EventLoop*>(self)->armed_ = kNever; }, this));
  wake_event_.reset(event_new(
      base_.get(), wake_fd_, EV_READ | EV_PERSIST,
      [](int fd, short, void* self) {
        eventfd_t count = 0;
        eventfd_read(fd, &count);
        static_cast<EventLoop*>(self)->run_posted();
      },
      this));
  if (wake_fd_ < 0 || timer_event_ == nullptr || wake_event_ == nullptr || event_add(wake_event_.get(), nullptr) != 0) {
    throw std::bad_alloc();
  }
}

EventLoop::~EventLoop() {
  destroy_buried();
  wake_event_.reset();
  if (wake_fd_ >= 0) {
    ::close(wake_fd_);
  }
}

void EventLoop::assert_in_loop() const {
  assert(in_loop());
}

void EventLoop::run() {
  thread_ = std::this_thread::get_id();
  bool busy = false;
  while (!stopping_.load(std::memory_order_acquire)) {
    busy = turn(!busy);
  }
  run_leftovers();
}

bool EventLoop::turn(bool wait) {
  if (wait) {
    arm_timer();
  }
  begin_turn();
  event_base_loop(base_.get(), wait ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
  return finish_turn();
}

bool EventLoop::finish_turn() {
  const bool busy = end_turn();
  destroy_buried();
  return busy;
}

bool EventLoop::end_turn() try {
  timers_.advance(monotonic_ms());
  return turn_work_ && turn_work_();
} catch (const std::bad_alloc&) {
  log_event(LogLevel::kError, "out of memory: the end of a turn of an event loop was dropped");
  return true;  // what is left is taken up by the next
}

void EventLoop::run_leftovers() {
  run_posted();
  destroy_buried();
}

void EventLoop::stop() {
  post([this] { stopping_.store(true, std::memory_order_release); });
}

void EventLoop::post(std::function<void()> work) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = posted_.empty();
    posted_.push_back(std::move(work));
  }
  if (was_empty) {
    wakeups_.fetch_add(1, std::memory_order_relaxed);
    eventfd_write(wake_fd_, 1);
  }
}

std::size_t EventLoop::queued() const {
  const std::lock_guard lock(mutex_);
  return posted_.size();
}

void EventLoop::run_posted() {
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(posted_);
  }
  for (const auto& work : batch) {
    run_guarded(work);
  }
}

void EventLoop::bury(Connection& connection) {
  connection.buried_before_ = std::exchange(buried_, &connection);
}

void EventLoop::destroy_buried() {
  while (buried_ != nullptr) {
    Connection* const last = std::exchange(buried_, buried_->buried_before_);
    Connection::destroy(*last);
  }
}

// Asks libevent for a wake-up at the wheel's next deadline; only where that has changed.
void EventLoop::arm_timer() {
  const Milliseconds next = timers_.next_deadline();
  if (next == armed_) {
    return;
  }
  armed_ = next;
  if (next == kNever) {
    event_del(timer_event_.get());
    return;
  }
  const Milliseconds wait = std::max<Milliseconds>(0, next - monotonic_ms());
  const timeval timeout{static_cast<time_t>(wait / 1000), static_cast<suseconds_t>(wait % 1000 * 1000)};
  event_add(timer_event_.get(), &timeout);
}

}  // namespace perigee::net
