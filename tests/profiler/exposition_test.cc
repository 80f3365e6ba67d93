#include "profiler/exposition.h"

#include <catch2/catch.hpp>
#include <limits>

#include "base/ticks.h"

using namespace perigee::profiler;

TEST_CASE("exposition: a metric is its help, its type and its samples") {
  Exposition page;
  page.counter("a_total", "How many.");
  page.sample({}, std::uint64_t{7});
  page.sample({{"kind", "x"}, {"place", "y"}}, std::uint64_t{18446744073709551615U});
  page.gauge("b_seconds", "How long.", 0.25);
  CHECK(page.text() ==
        "# HELP a_total How many.\n# TYPE a_total counter\na_total 7\n"
        "a_total{kind=\"x\",place=\"y\"} 18446744073709551615\n"
        "# HELP b_seconds How long.\n# TYPE b_seconds gauge\nb_seconds 0.25\n");
}

TEST_CASE("exposition: no label ends its quotes, its line or the encoding") {
  Exposition page;
  page.gauge("a", "back\\slash\nand \"quotes\"");
  page.sample({{"route", "/\"} 1\n# x\\\xff\xc3\xa9{id}"}}, std::uint64_t{1});
  CHECK(page.text() ==
        "# HELP a back\\\\slash\\nand \"quotes\"\n# TYPE a gauge\n"
        "a{route=\"/\\\"} 1\\n# x\\\\\xef\xbf\xbd\xc3\xa9{id}\"} 1\n");
}

TEST_CASE("exposition: numbers that are none have names") {
  Exposition page;
  page.gauge("a", "A.");
  for (const double value : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    page.sample({}, value);
  }
  CHECK(page.text().find("a +Inf\na -Inf\na NaN\n") != std::string::npos);
}

TEST_CASE("exposition: a histogram's buckets are cumulative, end with all, and are in seconds") {
  Histogram histogram;
  const double tick = perigee::seconds_per_tick();
  for (const double seconds : {0.00001, 0.0015, 0.0015, 3.0, 100.0}) {
    histogram.record(static_cast<std::uint64_t>(seconds / tick));
  }
  HistogramSum sum;
  histogram.add_to(sum);
  Exposition page;
  page.histogram("d_seconds", "D.");
  page.latencies({{"route", "/"}}, sum);
  for (const char* line :
       {"d_seconds_bucket{route=\"/\",le=\"5e-05\"} 1\n", "d_seconds_bucket{route=\"/\",le=\"0.001\"} 1\n",
        "d_seconds_bucket{route=\"/\",le=\"0.0025\"} 3\n", "d_seconds_bucket{route=\"/\",le=\"10\"} 4\n",
        "d_seconds_bucket{route=\"/\",le=\"+Inf\"} 5\n", "d_seconds_count{route=\"/\"} 5\n"}) {
    CHECK(page.text().find(line) != std::string::npos);
  }
  const std::size_t place = page.text().find("d_seconds_sum{route=\"/\"} ");
  REQUIRE(place != std::string::npos);
  CHECK(std::stod(page.text().substr(place + 25)) == Approx(103.00301).epsilon(0.001));
}
