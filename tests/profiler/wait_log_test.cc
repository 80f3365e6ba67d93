#include "profiler/wait_log.h"

#include <catch2/catch.hpp>

using namespace perigee::profiler;

TEST_CASE("wait log: nothing is noted while nobody records") {
  WaitLog log;
  int task = 0;
  log.begin(&task, {1, 0, 2, 3, {4}});
  log.end(&task, {1, 5, 2, 3, {4}});
  CHECK(log.open().empty());
  CHECK(log.take_ended().empty());
}

TEST_CASE("wait log: a wait that ends has the stack it began with") {
  WaitLog log;
  log.start();
  int task = 0;
  log.begin(&task, {1, 0, 2, 3, {4, 5}});
  REQUIRE(log.open().size() == 1);
  CHECK(log.knows(&task));
  log.end(&task, {1, 9, 2, 3, {}});
  CHECK(log.open().empty());
  const auto ended = log.take_ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].ended == 9);
  CHECK(ended[0].stack == WaitLog::Stack{4, 5});
  CHECK(log.take_ended().empty());
}

TEST_CASE("wait log: what is forgotten or recorded no longer is gone") {
  WaitLog log;
  log.start();
  int one = 0;
  int two = 0;
  log.begin(&one, {1, 0, 2, 3, {}});
  log.forget(&one);
  CHECK(!log.knows(&one));
  log.begin(&two, {1, 0, 2, 3, {}});
  log.stop();
  CHECK(!log.recording());
  CHECK(log.open().empty());
}

TEST_CASE("wait log: what nobody takes is bounded, and the rest counted") {
  WaitLog log;
  log.start();
  int task = 0;
  for (int i = 0; i < 65540; ++i) {
    log.end(&task, {1, 2, 3, -1, {}});
  }
  CHECK(log.take_lost() == 4);
  CHECK(log.take_ended().size() == 65536);
}
