#include "net/signal_source.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <new>
#include <utility>

namespace perigee::net {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    sigaddset(&set, signal);
  }
  return set;
}

}  // namespace

void SignalSource::block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalSource::SignalSource(EventLoop& loop, std::initializer_list<int> signals,
                           std::function<void(int signal)> on_signal)
    : on_signal_(std::move(on_signal)) {
  const sigset_t set = set_of(signals);
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  event_assign(
      &event_, loop.base(), fd_, EV_READ | EV_PERSIST,
      [](int, short, void* self) { static_cast<SignalSource*>(self)->read_signals(); }, this);
  if (fd_ < 0 || event_add(&event_, nullptr) != 0) {
    throw std::bad_alloc();
  }
}

SignalSource::~SignalSource() {
  event_del(&event_);
  ::close(fd_);
}

void SignalSource::read_signals() {
  signalfd_siginfo info{};
  while (read(fd_, &info, sizeof info) == sizeof info) {
    on_signal_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace perigee::net
