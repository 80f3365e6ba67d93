#pragma once

#include <signal.h>

namespace perigee {

/// While it lives, the calling thread receives no signal, and a thread begun meanwhile begins so too: signals are the
/// business of those who ask for them. With SIGPIPE blocked, a pipe without a reader is just EPIPE.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace perigee
