#include "profiler/wait_sites.h"

#include <catch2/catch.hpp>
#include <memory>

using namespace perigee::profiler;

TEST_CASE("wait sites: the same site has the same number, and a number its name") {
  const std::uint32_t number = wait_site("perigee.http", "a:1");
  CHECK(number > 0);
  CHECK(wait_site("perigee.http", "a:1") == number);
  CHECK(wait_site("perigee.http", "a:2") != number);
  CHECK(wait_sites()[number].peer == "a:1");
  CHECK(wait_sites()[0].operation == "other");
}

TEST_CASE("wait sites: what is waited for says what waits are counted under") {
  CHECK(operation_of(wait_site("perigee.http", "b:1")) == WaitOperation::kHttp);
  CHECK(operation_of(wait_site("perigee.all", "")) == WaitOperation::kTask);
  CHECK(operation_of(wait_site("whatever", "")) == WaitOperation::kOther);
  CHECK(operation_of(0) == WaitOperation::kOther);
}

TEST_CASE("wait sites: totals add up by site") {
  const auto totals = std::make_unique<WaitTotals>();
  totals->add(3, 5);
  totals->add(3, 7);
  CHECK(totals->of(3).waits == 2);
  CHECK(totals->of(3).nanoseconds == 12);
  CHECK(totals->of(4).waits == 0);
}

TEST_CASE("wait sites: those over the bound share their operation's number") {
  for (std::size_t i = 0; i < kMostWaitSites; ++i) {
    CHECK(wait_site("many", std::to_string(i)) < kMostWaitSites);
  }
  CHECK(wait_site("one", "more") == 0);
  CHECK(wait_site("perigee.http", "late:1") == wait_site("perigee.http", ""));
}
