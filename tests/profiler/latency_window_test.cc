#include "profiler/latency_window.h"

#include <catch2/catch.hpp>

using namespace perigee::profiler;

namespace {

HistogramSum sum_of(const Histogram& histogram) {
  HistogramSum sum;
  histogram.add_to(sum);
  return sum;
}

}  // namespace

TEST_CASE("latency window: it begins when it is first asked for, and shows what came since") {
  Histogram histogram;
  histogram.record(1000);
  LatencyWindow window(10);
  CHECK(window.recent(sum_of(histogram), 100).count() == 0);
  histogram.record(50);
  histogram.record(60);
  const HistogramSum recent = window.recent(sum_of(histogram), 101);
  CHECK(recent.count() == 2);
  CHECK(recent.sum() == 110);
  CHECK(recent.quantile(1) < 65);
}

TEST_CASE("latency window: what is older than twice its span is left out") {
  Histogram histogram;
  LatencyWindow window(10);
  CHECK(window.recent(sum_of(histogram), 0).count() == 0);
  for (int second = 1; second <= 40; ++second) {
    histogram.record(static_cast<std::uint64_t>(second));
    const std::uint64_t count = window.recent(sum_of(histogram), second).count();
    CHECK(count <= 20);
    CHECK((second < 10 || count >= 10));
  }
}

TEST_CASE("latency window: after a pause it begins anew") {
  Histogram histogram;
  LatencyWindow window(10);
  (void)window.recent(sum_of(histogram), 0);
  histogram.record(1);
  CHECK(window.recent(sum_of(histogram), 21).count() == 0);
  histogram.record(2);
  CHECK(window.recent(sum_of(histogram), 22).count() == 1);
}
