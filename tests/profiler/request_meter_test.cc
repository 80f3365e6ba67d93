#include "profiler/request_meter.h"

#include <catch2/catch.hpp>
#include <memory>
#include <thread>

using namespace perigee;
using namespace perigee::profiler;

TEST_CASE("request meter: an answer counts by method and status, and by its route") {
  const auto meter = std::make_unique<RequestMeter>();
  RouteLatencies& route = meter->route(5);
  CHECK(&meter->route(5) == &route);
  meter->count(route, 0, 200, 100);
  meter->count(route, 0, 200, 100);
  meter->count(meter->unmatched(), 9, 404, 100);
  CHECK(meter->requests(0, 200) == 2);
  CHECK(meter->requests(9, 404) == 1);
  CHECK(meter->requests() == 3);
  CHECK(meter->find(5)->find(2)->count() == 2);
  CHECK(meter->find(RouteNames::kUnmatched)->find(4)->count() == 1);
  CHECK(meter->find(6) == nullptr);
}

TEST_CASE("request meter: the stages of one request in 64 are timed, each once") {
  const auto meter = std::make_unique<RequestMeter>();
  for (std::uint32_t i = 0; i < 3 * RequestMeter::kSampleEvery; ++i) {
    meter->begin_request();
    for (const Stage stage : {Stage::kRoute, Stage::kLua, Stage::kSerialize, Stage::kWrite, Stage::kIdle}) {
      meter->enter(stage);
    }
  }
  for (const Stage stage : {Stage::kScan, Stage::kRoute, Stage::kLua, Stage::kSerialize, Stage::kWrite}) {
    CHECK(meter->stage(stage).count() == 3);
  }
  CHECK(meter->stage(Stage::kIdle).count() == 0);
}

TEST_CASE("request meter: a sample ends where its handler waits, and where the next pipelined request begins") {
  const auto meter = std::make_unique<RequestMeter>();
  const auto begin = [&meter] {
    for (std::uint32_t i = 0; i < RequestMeter::kSampleEvery; ++i) {
      meter->begin_request();
    }
  };
  begin();
  meter->enter(Stage::kRoute);
  meter->enter(Stage::kLua);
  meter->leave_sample();
  meter->enter(Stage::kSerialize);
  CHECK(meter->stage(Stage::kRoute).count() == 1);
  CHECK(meter->stage(Stage::kLua).count() == 0);
  begin();
  meter->enter(Stage::kWrite);
  meter->enter(Stage::kRoute);
  meter->enter(Stage::kIdle);
  CHECK(meter->stage(Stage::kScan).count() == 2);
  CHECK(meter->stage(Stage::kWrite).count() == 0);
}

TEST_CASE("request meter: refusals have a word each") {
  const auto meter = std::make_unique<RequestMeter>();
  meter->refuse(RefusalReason::kBodyTooLarge);
  meter->refuse(ConnectionRefusal::kProxyHeader);
  CHECK(meter->refused(RefusalReason::kBodyTooLarge) == 1);
  CHECK(meter->refused(ConnectionRefusal::kProxyHeader) == 1);
  CHECK(name_of(RefusalReason::kBodyTooLarge) == "body_too_large");
  CHECK(name_of(RefusalReason::kTimeLimit) == "time_limit");
  CHECK(name_of(ConnectionRefusal::kTooMany) == "server_full");
  CHECK(name_of(Stage::kSerialize) == "serialize");
}

TEST_CASE("request meter: another thread may look while routes are added and requests counted") {
  const auto meter = std::make_unique<RequestMeter>();
  std::thread worker([&meter] {
    for (std::size_t i = 0; i < 20'000; ++i) {
      meter->count(meter->route(2 + i % 500), i % 10, 200 + static_cast<int>(i % 300), i);
    }
  });
  std::uint64_t seen = 0;
  while (seen < 20'000) {
    seen = 0;
    for (std::size_t number = 0; number < RouteNames::kMost; ++number) {
      for (std::size_t digit = 0; digit < RouteLatencies::kClasses; ++digit) {
        const RouteLatencies* route = meter->find(number);
        const Histogram* histogram = route != nullptr ? route->find(digit) : nullptr;
        seen += histogram != nullptr ? histogram->count() : 0;
      }
    }
  }
  worker.join();
  CHECK(meter->requests() == 20'000);
}
