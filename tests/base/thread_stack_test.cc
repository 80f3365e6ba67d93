#include "base/thread_stack.h"

#include <catch2/catch.hpp>
#include <thread>

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

// Uses up a megabyte a level until the stack is low; returns how many levels that took.
int levels_until_low(int level) {  // NOLINT(misc-no-recursion)
  volatile char room[kMegabyte];
  room[0] = static_cast<char>(level);
  return perigee::stack_is_low(8 * kMegabyte) ? level
                                              : levels_until_low(level + 1) + (room[0] - static_cast<char>(level));
}

}  // namespace

TEST_CASE("thread_stack: a thread gets the stack asked for, and is told when little is left of it") {
  perigee::set_thread_stack(32 * kMegabyte);
  int levels = 0;
  std::thread([&levels] { levels = levels_until_low(0); }).join();
  CHECK(levels >= 20);
  CHECK(levels <= 25);
}

TEST_CASE("thread_stack: of a small stack half may be used, however much is asked for") {
  perigee::set_thread_stack(32 * kMegabyte);
  bool low = true;
  std::thread([&low] { low = perigee::stack_is_low(1024 * kMegabyte); }).join();
  CHECK_FALSE(low);
}
