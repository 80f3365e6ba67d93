#include "net/poller.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "base/log.h"

namespace perigee::net {
namespace {

// Somebody has closed the descriptor, as native code may: no event would ever come again.
[[noreturn, gnu::noinline]] void end_process() {
  log_event(LogLevel::kError,
            std::string("an event loop has lost its descriptor, the process ends: ") + std::strerror(errno));
  std::abort();
}

}  // namespace

Watch::~Watch() {
  if (epoll_event* const event = poller_.untold(*this); event != nullptr) {
    event->data.ptr = nullptr;
  }
}

bool Watch::found() const {
  return poller_.untold(*this) != nullptr;
}

void Watch::set(int descriptor, Events events) {
  if (events == events_) {
    return;
  }
  const int operation = events_ == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  epoll_event event{};
  event.events = events;
  event.data.ptr = this;
  if (epoll_ctl(poller_.descriptor_, operation, descriptor, &event) != 0 && events != 0) {
    epoll_ctl(poller_.descriptor_, EPOLL_CTL_DEL, descriptor, &event);
    events_ = 0;
    throw std::bad_alloc();
  }
  events_ = events;
}

Poller::Poller() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw std::bad_alloc();
  }
}

Poller::~Poller() {
  ::close(descriptor_);
}

void Poller::poll(int timeout) {
  count_ = epoll_wait(descriptor_, batch_.data(), kBatch, timeout);
  if (count_ < 0 && errno != EINTR) [[unlikely]] {
    end_process();
  }
  for (next_ = 0; next_ < count_;) {
    constexpr Watch::Events kBroken = EPOLLERR | EPOLLHUP;
    const epoll_event& event = batch_[static_cast<std::size_t>(next_++)];
    auto* const watch = static_cast<Watch*>(event.data.ptr);
    if (watch == nullptr) {
      continue;
    }
    // What is not watched for any more, as of others' callbacks, is of no use to anybody.
    const Watch::Events events = ((event.events & kBroken) != 0 ? ~Watch::Events{0} : event.events) & watch->events_;
    if (events != 0) {
      watch->callback_(*watch, events);
    }
  }
}

epoll_event* Poller::untold(const Watch& watch) {
  for (int i = next_; i < count_; ++i) {
    if (epoll_event& event = batch_[static_cast<std::size_t>(i)]; event.data.ptr == &watch) {
      return &event;
    }
  }
  return nullptr;
}

}  // namespace perigee::net
