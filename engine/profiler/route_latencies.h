#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ticks.h"
#include "profiler/histogram.h"

namespace perigee::profiler {

/// The latencies of one route on one worker: a histogram for each class of status (1xx to 5xx), made when it is first
/// needed. Its worker's thread records, any thread reads.
class RouteLatencies {
 public:
  static constexpr std::size_t kClasses = 6;  ///< by the status' first digit

  RouteLatencies() = default;
  ~RouteLatencies();
  RouteLatencies(const RouteLatencies&) = delete;
  RouteLatencies& operator=(const RouteLatencies&) = delete;

  /// REQUIRES: 0 <= status < 600.
  void record(int status, Ticks latency) noexcept {
    const auto digit = static_cast<std::size_t>(static_cast<unsigned>(status) / 100);
    Histogram* histogram = by_class_[digit].load(std::memory_order_relaxed);
    if (histogram == nullptr) [[unlikely]] {
      histogram = make(digit);
      if (histogram == nullptr) {
        return;  // there is no memory to count in
      }
    }
    histogram->record(latency);
  }

  /// Of the statuses that begin with `digit`; null where there were none. Any thread.
  [[nodiscard]] const Histogram* find(std::size_t digit) const {
    return by_class_[digit].load(std::memory_order_acquire);
  }

 private:
  [[nodiscard]] Histogram* make(std::size_t digit) noexcept;

  std::array<std::atomic<Histogram*>, kClasses> by_class_{};
};

/// What routes are called, and the numbers they are counted under in every generation: what a reload leaves out keeps
/// its number, and its counts. Any thread.
class RouteNames {
 public:
  static constexpr std::size_t kMost = 2000;    ///< numbers, those below included
  static constexpr std::size_t kUnmatched = 0;  ///< of requests that no route took
  static constexpr std::size_t kOther = 1;      ///< of the routes for which no number was left

  struct Name {
    std::string method;
    std::string pattern;
  };

  RouteNames();

  /// The number of a route, the same whenever its method and pattern are.
  [[nodiscard]] std::size_t number_of(std::string_view method, std::string_view pattern);

  /// What a number's route is called in a profile: "GET /users/{id}"; empty for a number of none.
  [[nodiscard]] std::string text(std::size_t number) const;

  /// The names of all numbers so far.
  [[nodiscard]] std::vector<Name> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Name> names_;                                           // guarded by mutex_
  std::map<std::pair<std::string, std::string>, std::size_t> known_;  // guarded by mutex_
};

}  // namespace perigee::profiler
