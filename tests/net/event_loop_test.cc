#include "net/event_loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include "../server/captured_log.h"

using perigee::net::EventLoop;

namespace {

// A timer that notes when it fired, and its number.
struct Alarm {
  struct Record {
    std::vector<int> fired;
    std::size_t early = 0;
  };

  Alarm(EventLoop& owner, Record& notes, int which, perigee::Milliseconds deadline)
      : loop(owner), record(notes), number(which) {
    loop.timers().add(timer, deadline);
  }
  void ring() {
    record.fired.push_back(number);
    record.early += perigee::monotonic_ms() < timer.deadline() ? 1 : 0;
    if (record.fired.size() == 3) {
      loop.stop();
    }
  }

  EventLoop& loop;
  Record& record;
  int number;
  perigee::TimerOf<Alarm, &Alarm::ring> timer{*this};
};

}  // namespace

TEST_CASE("event loop: work posted by many threads all runs, in each one's order, on the loop's thread") {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  EventLoop loop;
  std::vector<int> last(kThreads, -1);
  int done = 0;
  std::size_t disordered = 0;
  std::size_t elsewhere = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; ++id) {
    threads.emplace_back([&, id] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, id, i] {
          int& before = last[static_cast<std::size_t>(id)];
          disordered += before == i - 1 ? 0 : 1;
          elsewhere += loop.in_loop() ? 0 : 1;
          before = i;
          if (++done == kThreads * kEach) {
            loop.stop();
          }
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(done == kThreads * kEach);
  CHECK(disordered == 0);
  CHECK(elsewhere == 0);
}

TEST_CASE("event loop: only a post to an empty queue costs a wake-up") {
  EventLoop loop;
  int runs = 0;
  for (int i = 0; i < 100; ++i) {
    loop.post([&runs] { ++runs; });
  }
  CHECK(loop.wakeups() == 1);
  loop.stop();
  CHECK(loop.wakeups() == 1);
  loop.run();
  CHECK(runs == 100);
  loop.post([&runs] { ++runs; });
  CHECK(loop.wakeups() == 2);
}

TEST_CASE("event loop: what posted work posts runs too, after it") {
  EventLoop loop;
  std::vector<int> order;
  loop.post([&] {
    loop.post([&] {
      order.push_back(3);
      loop.stop();
    });
    order.push_back(1);
  });
  loop.post([&] { order.push_back(2); });
  loop.run();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("event loop: turn work that has more to do keeps the loop from waiting") {
  EventLoop loop;
  int turns = 0;
  loop.set_turn_work([&] {
    if (++turns == 1000) {
      loop.stop();
    }
    return turns < 1000;  // with nothing posted and no timer, a loop that waited would wait for ever
  });
  loop.post([] {});
  loop.run();
  CHECK(turns >= 1000);
}

TEST_CASE("event loop: events are still seen while turn work has more to do") {
  EventLoop loop;
  bool seen = false;
  loop.set_turn_work([] { return true; });
  std::thread other([&] {
    loop.post([&] { seen = true; });
    loop.stop();
  });
  loop.run();
  other.join();
  CHECK(seen);
}

TEST_CASE("event loop: timers wake it in the order of their deadlines, none early") {
  EventLoop loop;
  Alarm::Record record;
  const perigee::Milliseconds now = perigee::monotonic_ms();
  const Alarm last(loop, record, 3, now + 25);
  const Alarm first(loop, record, 1, now + 3);
  const Alarm second(loop, record, 2, now + 12);
  loop.run();
  CHECK(record.fired == std::vector<int>{1, 2, 3});
  CHECK(record.early == 0);
}

TEST_CASE("event loop: a timer added from another's callback wakes it") {
  EventLoop loop;
  struct Chain {
    void ring() {
      if (++rings == 3) {
        loop.stop();
      } else {
        loop.timers().add(timer, perigee::monotonic_ms() + 2);
      }
    }
    EventLoop& loop;
    int rings = 0;
    perigee::TimerOf<Chain, &Chain::ring> timer{*this};
  } chain{loop};
  chain.ring();
  loop.run();
  CHECK(chain.rings == 3);
}

TEST_CASE("event loop: stop before run lets run return at once") {
  EventLoop loop;
  bool ran = false;
  loop.stop();
  loop.post([&] { ran = true; });
  loop.run();
  CHECK(ran);
}

TEST_CASE("event loop: stop from another thread ends it") {
  EventLoop loop;
  std::thread other([&] { loop.stop(); });
  loop.run();
  other.join();
  CHECK(loop.in_loop());
}

TEST_CASE("event loop: it belongs to the thread that runs it") {
  EventLoop loop;
  CHECK(loop.in_loop());
  bool inside = false;
  std::thread runner([&] {
    loop.post([&] {
      inside = loop.in_loop();
      loop.stop();
    });
    loop.run();
  });
  runner.join();
  CHECK(inside);
  CHECK_FALSE(loop.in_loop());
}

TEST_CASE("event loop: work that runs out of memory is dropped and logged, the rest runs") {
  const CapturedLog log;
  EventLoop loop;
  int runs = 0;
  loop.post([] { throw std::bad_alloc(); });
  loop.post([&] {
    ++runs;
    throw std::bad_alloc();
  });
  loop.post([&] { ++runs; });
  loop.stop();
  loop.run();
  CHECK(runs == 2);
  const std::string text = log.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find("error out of memory") == 0);
}

TEST_CASE("event loop: what is posted after its run waits for run_leftovers") {
  EventLoop loop;
  loop.stop();
  loop.run();
  int runs = 0;
  loop.post([&] { ++runs; });
  CHECK(runs == 0);
  loop.run_leftovers();
  CHECK(runs == 1);
}

TEST_CASE("event loop: events of libevent are seen too, also where the environment forbids it epoll") {
  setenv("EVENT_NOEPOLL", "1", 1);
  EventLoop loop;
  unsetenv("EVENT_NOEPOLL");
  const int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  event* const watched = event_new(
      loop.base(), descriptor, EV_READ, [](int, short, void* context) { static_cast<EventLoop*>(context)->stop(); },
      &loop);
  REQUIRE(event_add(watched, nullptr) == 0);
  std::thread writer([descriptor] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    eventfd_write(descriptor, 1);
  });
  loop.run();
  writer.join();
  CHECK(event_pending(watched, EV_READ, nullptr) == 0);
  event_free(watched);
  ::close(descriptor);
}
