#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/counter.h"

namespace perigee::profiler {

/// How a histogram divides the numbers from 0 to kMost: each power of two into sixteen buckets of the same width, those
/// below 32 one by one. The middle of a value's bucket is off by at most 1/32 of the value (3.13 %), the edge by 1/16.
struct LogLinearBuckets {
  static constexpr unsigned kPrecision = 4;                 ///< 2^4 buckets a power of two
  static constexpr std::uint64_t kMost = (1ULL << 44) - 1;  ///< what is larger counts as this
  static constexpr std::size_t kCount = (44 - kPrecision - 1) * 16 + 32;
  static constexpr double kRelativeError = 1.0 / 32;

  /// The bucket of `value`.
  [[nodiscard]] static constexpr std::size_t index(std::uint64_t value) {
    constexpr std::uint64_t kLinear = 1ULL << kPrecision;
    value = value < kMost ? value : kMost;
    const auto shift = static_cast<unsigned>(std::bit_width(value | kLinear)) - kPrecision - 1;
    return (static_cast<std::size_t>(shift) << kPrecision) + static_cast<std::size_t>(value >> shift);
  }

  /// The least value of a bucket; that of kCount is kMost + 1.
  [[nodiscard]] static constexpr std::uint64_t lower(std::size_t index) {
    constexpr std::size_t kLinear = std::size_t{2} << kPrecision;
    if (index < kLinear) {
      return index;
    }
    const std::size_t shift = (index >> kPrecision) - 1;
    return static_cast<std::uint64_t>(index - (shift << kPrecision)) << shift;
  }

  /// What a value of the bucket is taken for.
  [[nodiscard]] static constexpr double middle(std::size_t index) {
    return (static_cast<double>(lower(index)) + static_cast<double>(lower(index + 1) - 1)) / 2;
  }
};

/// What several histograms come to, as a reader adds them up.
class HistogramSum {
 public:
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The sum of all values.
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  /// How many values lie in buckets that are wholly at or below `value`.
  [[nodiscard]] std::uint64_t count_up_to(std::uint64_t value) const;
  /// Leaves what came after `earlier`. REQUIRES: that is an earlier sum of the same histograms.
  void subtract(const HistogramSum& earlier);
  /// Adds another sum.
  void add(const HistogramSum& other);
  /// The value that `share` (0 to 1) of all are at or below, within LogLinearBuckets::kRelativeError; 0 of none.
  [[nodiscard]] double quantile(double share) const;

 private:
  friend class Histogram;

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(LogLinearBuckets::kCount);
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
};

/// Counts values by LogLinearBuckets, in a fixed 5 KiB. One thread records; any thread reads meanwhile, without holding
/// it up: a reader may see a value's bucket and not yet its part of the sum.
class Histogram {
 public:
  /// Its owner's thread only.
  void record(std::uint64_t value) noexcept {
    buckets_[LogLinearBuckets::index(value)].add();
    sum_.add(value);
  }

  /// Adds what was recorded so far.
  void add_to(HistogramSum& total) const;

  /// How many values were recorded so far.
  [[nodiscard]] std::uint64_t count() const;

 private:
  std::array<Counter, LogLinearBuckets::kCount> buckets_;
  Counter sum_;
};

}  // namespace perigee::profiler
