#include "net/event_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
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
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
  event_config_avoid_method(config.get(), "poll");
  event_config_avoid_method(config.get(), "select");
  event_base* base = event_base_new_with_config(config.get());
  if (base == nullptr) {
    throw std::bad_alloc();
  }
  return base;
}

// Libevent does not tell its descriptor of epoll: it is the one that has `known` among its own once libevent was asked
// to watch that. `known` has nothing to be found. The system is asked past the C library, as sanitizers take a question
// about others' descriptors for a use of them; none is changed.
int epoll_descriptor(event_base* base, int known) {
  event probe;
  event_assign(
      &probe, base, known, EV_READ, [](int, short, void*) {}, nullptr);
  if (event_add(&probe, nullptr) != 0) {
    throw std::bad_alloc();
  }
  epoll_event as_it_is{};
  as_it_is.events = EPOLLIN;
  as_it_is.data.fd = known;
  const int end = std::min(getdtablesize(), 1 << 20);
  int descriptor = 0;
  while (descriptor < end && syscall(SYS_epoll_ctl, descriptor, EPOLL_CTL_MOD, known, &as_it_is) != 0) {
    ++descriptor;
  }
  event_del(&probe);
  if (descriptor == end) {
    throw std::bad_alloc();
  }
  return descriptor;
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

EventLoop::EventLoop()
    : base_(new_base()),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      libevent_watch_(poller_, *this),
      wake_watch_(poller_, *this),
      timers_(monotonic_ms()),
      thread_(std::this_thread::get_id()) {
  if (wake_fd_ < 0) {
    throw std::bad_alloc();
  }
  try {
    libevent_watch_.set(epoll_descriptor(base_.get(), wake_fd_), Watch::kRead);
    wake_watch_.set(wake_fd_, Watch::kRead);
  } catch (const std::bad_alloc&) {
    ::close(wake_fd_);
    throw;
  }
}

EventLoop::~EventLoop() {
  destroy_buried();
  ::close(wake_fd_);
}

void EventLoop::on_libevent(Watch::Events /*events*/) {
  event_base_loop(base_.get(), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

void EventLoop::on_posted(Watch::Events /*events*/) {
  eventfd_t count = 0;
  eventfd_read(wake_fd_, &count);
  run_posted();
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
  begin_turn();
  look(wait);
  return finish_turn();
}

void EventLoop::look(bool wait) {
  poller_.poll(wait ? patience() : 0);
}

// Milliseconds until the wheel's next deadline.
int EventLoop::patience() {
  const Milliseconds next = timers_.next_deadline();
  if (next == kNever) {
    return Poller::kForever;
  }
  return static_cast<int>(std::clamp<Milliseconds>(next - monotonic_ms(), 0, std::numeric_limits<int>::max()));
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

}  // namespace perigee::net
