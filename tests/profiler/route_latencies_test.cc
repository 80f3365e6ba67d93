#include "profiler/route_latencies.h"

#include <catch2/catch.hpp>

using namespace perigee::profiler;

TEST_CASE("route latencies: each class of status has a histogram of its own, once it is needed") {
  RouteLatencies route;
  CHECK(route.find(2) == nullptr);
  route.record(200, 10);
  route.record(204, 20);
  route.record(599, 30);
  REQUIRE(route.find(2) != nullptr);
  CHECK(route.find(2)->count() == 2);
  CHECK(route.find(5)->count() == 1);
  CHECK(route.find(4) == nullptr);
}

TEST_CASE("route names: a route has the same number whenever it is named") {
  RouteNames names;
  const std::size_t first = names.number_of("GET", "/a");
  const std::size_t second = names.number_of("POST", "/a");
  CHECK(first != second);
  CHECK(names.number_of("GET", "/b") != first);
  CHECK(names.number_of("GET", "/a") == first);
  CHECK(names.all()[first].pattern == "/a");
  CHECK(names.text(second) == "POST /a");
  CHECK(names.text(RouteNames::kUnmatched).empty());
  CHECK(names.text(99).empty());
  CHECK(names.all()[second].method == "POST");
}

TEST_CASE("route names: those over the bound share one number") {
  RouteNames names;
  for (std::size_t i = 0; i < RouteNames::kMost + 10; ++i) {
    (void)names.number_of("GET", "/" + std::to_string(i));
  }
  CHECK(names.all().size() == RouteNames::kMost);
  CHECK(names.number_of("GET", "/one-more") == RouteNames::kOther);
  CHECK(names.number_of("GET", "/0") != RouteNames::kOther);
}
