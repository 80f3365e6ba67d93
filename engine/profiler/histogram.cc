#include "profiler/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace perigee::profiler {

std::uint64_t HistogramSum::count_up_to(std::uint64_t value) const {
  // The bucket of the next value holds some that are larger, unless it begins with it.
  const std::size_t end = value >= LogLinearBuckets::kMost ? counts_.size() : LogLinearBuckets::index(value + 1);
  return std::accumulate(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(end), std::uint64_t{0});
}

double HistogramSum::quantile(double share) const {
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      return LogLinearBuckets::middle(i);
    }
  }
  return 0;
}

void HistogramSum::subtract(const HistogramSum& earlier) {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] -= earlier.counts_[i];
  }
  count_ -= earlier.count_;
  sum_ -= earlier.sum_;
}

void HistogramSum::add(const HistogramSum& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  sum_ += other.sum_;
}

void Histogram::add_to(HistogramSum& total) const {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const std::uint64_t count = buckets_[i].value();
    total.counts_[i] += count;
    total.count_ += count;
  }
  total.sum_ += sum_.value();
}

std::uint64_t Histogram::count() const {
  return std::accumulate(buckets_.begin(), buckets_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Counter& bucket) { return sum + bucket.value(); });
}

}  // namespace perigee::profiler
