#include "net/poller.h"

#include <unistd.h>

#include <algorithm>
#include <new>

namespace perigee::net {

Watch::~Watch() {
  if (found_ != 0) {
    poller_.forget(*this);
  }
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
  for (int i = 0; i < count_; ++i) {
    constexpr Watch::Events kBroken = EPOLLERR | EPOLLHUP;
    const Watch::Events events = batch_[i].events;
    static_cast<Watch*>(batch_[i].data.ptr)->found_ = (events & kBroken) != 0 ? Watch::kRead | Watch::kWrite : events;
  }
  for (next_ = 0; next_ < count_;) {
    auto* const watch = static_cast<Watch*>(batch_[next_++].data.ptr);
    if (watch == nullptr) {
      continue;
    }
    // What is not watched for any more, as of others' callbacks, is of no use to anybody.
    const Watch::Events events = watch->found_ & watch->events_;
    watch->found_ = 0;
    if (events != 0) {
      watch->callback_(*watch, events);
    }
  }
}

void Poller::forget(const Watch& watch) {
  for (int i = next_; i < count_; ++i) {
    if (batch_[i].data.ptr == &watch) {
      batch_[i].data.ptr = nullptr;
    }
  }
}

}  // namespace perigee::net
