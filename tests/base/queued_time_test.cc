#include "base/queued_time.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using perigee::queued_ns;

TEST_CASE("queued time: of a thread it never falls, of no thread it is 0") {
  const auto self = static_cast<int>(syscall(SYS_gettid));
  const auto before = queued_ns(self);
  CHECK(before >= 0);
  CHECK(queued_ns(self) >= before);
  CHECK(queued_ns(-1) == 0);
}
