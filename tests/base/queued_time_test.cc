#include "base/queued_time.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using perigee::queued_ns;
using perigee::thread_times;

TEST_CASE("queued time: of a thread it never falls, of no thread it is 0") {
  const auto self = static_cast<int>(syscall(SYS_gettid));
  const auto before = queued_ns(self);
  CHECK(before >= 0);
  CHECK(queued_ns(self) >= before);
  CHECK(queued_ns(-1) == 0);
}

TEST_CASE("thread times: one that asks is ready, and has run") {
  const auto self = static_cast<int>(syscall(SYS_gettid));
  const auto before = thread_times(self);
  CHECK(before.ready);
  CHECK(thread_times(self).ran >= before.ran);
  const auto none = thread_times(-1);
  CHECK_FALSE(none.ready);
  CHECK(none.ran == 0);
}
