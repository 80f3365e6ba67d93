#include "profiler/histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace perigee::profiler;
using Buckets = LogLinearBuckets;

namespace {

std::vector<std::uint64_t> interesting_values() {
  std::vector<std::uint64_t> values;
  for (std::uint64_t power = 1; power <= Buckets::kMost; power *= 2) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power + power / 3}) {
      values.push_back(std::min(value, Buckets::kMost));
    }
  }
  return values;
}

}  // namespace

TEST_CASE("histogram: every value lies in its bucket, whose middle is off by at most the stated error") {
  bool inside = true;
  bool close = true;
  for (const std::uint64_t value : interesting_values()) {
    const std::size_t bucket = Buckets::index(value);
    inside = inside && Buckets::lower(bucket) <= value && value < Buckets::lower(bucket + 1);
    const double error = std::abs(Buckets::middle(bucket) - static_cast<double>(value));
    close = close && error <= static_cast<double>(value) * Buckets::kRelativeError;
  }
  CHECK(inside);
  CHECK(close);
  CHECK(Buckets::kRelativeError <= 0.032);
}

TEST_CASE("histogram: the buckets leave no gap and end with the largest value") {
  bool joined = true;
  for (std::size_t i = 0; i < Buckets::kCount; ++i) {
    joined = joined && Buckets::index(Buckets::lower(i)) == i && Buckets::index(Buckets::lower(i + 1) - 1) == i;
  }
  CHECK(joined);
  CHECK(Buckets::index(Buckets::kMost) == Buckets::kCount - 1);
  CHECK(Buckets::index(UINT64_MAX) == Buckets::kCount - 1);
  CHECK(sizeof(Histogram) <= 6 * 1024);
}

TEST_CASE("histogram: quantiles are within the stated error of the true ones") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(12, 2);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(latency(random)));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  HistogramSum sum;
  histogram.add_to(sum);
  for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(share * 20'000)));
    const auto exact = static_cast<double>(values[rank - 1]);
    CHECK(std::abs(sum.quantile(share) - exact) <= exact * Buckets::kRelativeError);
  }
}

TEST_CASE("histogram: several add up to what one would hold") {
  Histogram one;
  Histogram other;
  Histogram both;
  for (std::uint64_t i = 1; i < 5000; i += 7) {
    (i % 2 == 0 ? one : other).record(i * i);
    both.record(i * i);
  }
  HistogramSum merged;
  one.add_to(merged);
  other.add_to(merged);
  HistogramSum whole;
  both.add_to(whole);
  CHECK(merged.count() == whole.count());
  CHECK(merged.sum() == whole.sum());
  CHECK(both.count() == whole.count());
  for (const double share : {0.1, 0.5, 0.99}) {
    CHECK(merged.quantile(share) == whole.quantile(share));
  }
}

TEST_CASE("histogram: up to a value are counted the buckets that hold nothing above it") {
  Histogram histogram;
  for (const std::uint64_t value : {10, 20, 31, 1000, 5000}) {
    histogram.record(value);
  }
  HistogramSum sum;
  histogram.add_to(sum);
  CHECK(sum.count_up_to(9) == 0);
  CHECK(sum.count_up_to(10) == 1);
  CHECK(sum.count_up_to(31) == 3);
  CHECK(sum.count_up_to(1000 + 1000 / 16) == 4);
  CHECK(sum.count_up_to(UINT64_MAX) == 5);
}

TEST_CASE("histogram: none has no quantile") {
  CHECK(HistogramSum().quantile(0.5) == 0);
  CHECK(HistogramSum().count_up_to(100) == 0);
}

TEST_CASE("histogram: a reader sees counts that only grow while another thread records") {
  constexpr std::uint64_t kMany = 100'000;
  const auto histogram = std::make_unique<Histogram>();
  std::thread writer([&histogram] {
    for (std::uint64_t i = 0; i < kMany; ++i) {
      histogram->record(i);
    }
  });
  std::uint64_t last = 0;
  bool grew = true;
  while (last < kMany) {
    HistogramSum sum;
    histogram->add_to(sum);
    grew = grew && sum.count() >= last;
    last = sum.count();
  }
  writer.join();
  CHECK(grew);
  HistogramSum sum;
  histogram->add_to(sum);
  CHECK(sum.sum() == kMany * (kMany - 1) / 2);
}
