#include "base/work_queue.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>

using perigee::WorkQueue;

TEST_CASE("work queue: all that is offered runs, on other threads") {
  std::atomic<int> ran{0};
  std::promise<void> done;
  WorkQueue queue(3, 1000);
  const auto caller = std::this_thread::get_id();
  for (int i = 0; i < 500; ++i) {
    REQUIRE(queue.offer([&] {
      if (std::this_thread::get_id() != caller && ++ran == 500) {
        done.set_value();
      }
    }));
  }
  done.get_future().wait();
  CHECK(ran == 500);
}

TEST_CASE("work queue: one that is full takes no more, and again when there is room") {
  WorkQueue queue(1, 2);
  std::promise<void> begun;
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future();
  REQUIRE(queue.offer([&, gate] {
    begun.set_value();
    gate.wait();
  }));
  begun.get_future().wait();
  std::promise<void> last;
  CHECK(queue.offer([] {}));
  CHECK(queue.offer([&] { last.set_value(); }));
  CHECK_FALSE(queue.offer([] {}));
  go.set_value();
  last.get_future().wait();
  CHECK(queue.offer([] {}));
}

TEST_CASE("work queue: stopping drops what has not begun, and takes no more") {
  WorkQueue queue(1, 10);
  std::promise<void> begun;
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future();
  auto held = std::make_shared<int>(0);
  std::atomic<bool> ran{false};
  REQUIRE(queue.offer([&, gate] {
    begun.set_value();
    gate.wait();
  }));
  REQUIRE(queue.offer([&ran, held] { ran = true; }));
  begun.get_future().wait();
  go.set_value();
  queue.stop();
  CHECK(held.use_count() == 1);
  CHECK_FALSE(queue.offer([] {}));
  queue.stop();
}
