#pragma once

#include <event2/event_struct.h>

#include <functional>
#include <initializer_list>

#include "net/event_loop.h"

namespace perigee::net {

/// Delivers signals on a loop by signalfd. Block them first, before any thread starts: block_signals().
class SignalSource {
 public:
  /// Blocks the signals in this thread and those it will start.
  static void block_signals(std::initializer_list<int> signals);

  /// REQUIRES: the signals are blocked in every thread.
  SignalSource(EventLoop& loop, std::initializer_list<int> signals, std::function<void(int signal)> on_signal);
  ~SignalSource();
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;

 private:
  void read_signals();

  std::function<void(int signal)> on_signal_;
  int fd_;
  event event_;
};

}  // namespace perigee::net
