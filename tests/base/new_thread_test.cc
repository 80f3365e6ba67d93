#include "base/new_thread.h"

#include <pthread.h>

#include <catch2/catch.hpp>

namespace {

// Threads that start meanwhile want a stack that no machine has room for.
class HugeStacks {
 public:
  HugeStacks() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_getattr_default_np(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 50);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~HugeStacks() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  HugeStacks(const HugeStacks&) = delete;
  HugeStacks& operator=(const HugeStacks&) = delete;

 private:
  pthread_attr_t before_{};
};

}  // namespace

TEST_CASE("new thread: it does its work") {
  bool done = false;
  auto thread = perigee::new_thread([&] { done = true; });
  REQUIRE(thread);
  thread->join();
  CHECK(done);
}

TEST_CASE("new thread: where the system has none, it says so") {
  const HugeStacks stacks;
  const auto thread = perigee::new_thread([] {});
  REQUIRE_FALSE(thread);
  CHECK_THAT(thread.error().message, Catch::StartsWith("the system refuses a thread: "));
}
