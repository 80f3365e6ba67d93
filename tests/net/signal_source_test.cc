#include "net/signal_source.h"

#include <pthread.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <vector>

#include "loop_fixture.h"

using perigee::net::EventLoop;
using perigee::net::SignalSource;

namespace {

// Gives this thread its signals back when the test is over.
class KeptMask {
 public:
  KeptMask() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~KeptMask() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  KeptMask(const KeptMask&) = delete;
  KeptMask& operator=(const KeptMask&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

TEST_CASE("signal source: blocked signals arrive on the loop, each by its number") {
  const KeptMask mask;
  SignalSource::block_signals({SIGUSR1, SIGUSR2});
  EventLoop loop;
  std::vector<int> seen;
  const SignalSource source(loop, {SIGUSR1, SIGUSR2}, [&seen](int signal) { seen.push_back(signal); });
  turn(loop);
  CHECK(seen.empty());
  for (const int signal : {SIGUSR2, SIGUSR1, SIGUSR2}) {
    const std::size_t before = seen.size();
    REQUIRE(pthread_kill(pthread_self(), signal) == 0);
    REQUIRE(turn_until(loop, [&] { return seen.size() == before + 1; }));
    CHECK(seen.back() == signal);
  }
}

TEST_CASE("signal source: it leaves signals that it was not asked for") {
  const KeptMask mask;
  SignalSource::block_signals({SIGUSR1, SIGUSR2});
  EventLoop loop;
  std::vector<int> asked;
  std::vector<int> others;
  const SignalSource first(loop, {SIGUSR1}, [&asked](int signal) { asked.push_back(signal); });
  const SignalSource second(loop, {SIGUSR2}, [&others](int signal) { others.push_back(signal); });
  pthread_kill(pthread_self(), SIGUSR2);
  REQUIRE(turn_until(loop, [&] { return !others.empty(); }));
  CHECK(asked.empty());
  CHECK(others == std::vector<int>{SIGUSR2});
}

TEST_CASE("signal source: once it is gone the loop hears no signals") {
  const KeptMask mask;
  SignalSource::block_signals({SIGUSR1});
  EventLoop loop;
  int seen = 0;
  {
    const SignalSource source(loop, {SIGUSR1}, [&seen](int) { ++seen; });
  }
  pthread_kill(pthread_self(), SIGUSR1);
  turn(loop);
  CHECK(seen == 0);
  sigset_t waiting;
  sigemptyset(&waiting);
  sigaddset(&waiting, SIGUSR1);
  int taken = 0;
  CHECK(sigwait(&waiting, &taken) == 0);
  CHECK(taken == SIGUSR1);
}
