#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/marks.h"
#include "base/ticks.h"
#include "profiler/histogram.h"
#include "profiler/route_latencies.h"
#include "profiler/wait_operation.h"

namespace perigee::profiler {

/// Why a request was answered without its handler, or in its place.
enum class RefusalReason : std::uint8_t {
  kHead,
  kHeadTimeout,
  kBody,
  kBodyTooLarge,
  kBodyTimeout,
  kNoRoute,
  kMethod,
  kParameter,
  kTimeLimit,
  kCount
};

/// Why a connection was not served.
enum class ConnectionRefusal : std::uint8_t { kTooMany, kTooManyFromAddress, kProxyHeader, kCount };

/// The words that name reasons and stages in metrics.
[[nodiscard]] std::string_view name_of(RefusalReason reason);
[[nodiscard]] std::string_view name_of(ConnectionRefusal reason);
[[nodiscard]] std::string_view name_of(Stage stage);

/// What one worker counts of its requests. What changes it belongs to the worker's thread; all else to any thread,
/// which reads while the worker goes on.
class RequestMeter {
 public:
  static constexpr std::size_t kMethods = 10;
  static constexpr std::size_t kStatuses = 600;
  static constexpr std::size_t kStages = static_cast<std::size_t>(Stage::kWrite) + 1;
  static constexpr std::uint32_t kSampleEvery = 64;  ///< requests: the stages of one of them are timed

  RequestMeter();

  // --- the worker's thread ---

  /// Where a route is counted: RouteNames' number. The same for the same number, as long as the meter lives.
  [[nodiscard]] RouteLatencies& route(std::size_t number);
  [[nodiscard]] RouteLatencies& unmatched() { return *unmatched_; }

  /// Counts one answer. REQUIRES: 0 <= method < kMethods and 0 <= status < kStatuses.
  void count(RouteLatencies& route, std::size_t method, int status, Ticks latency) noexcept {
    requests_[method * kStatuses + static_cast<std::size_t>(status)].add();
    route.record(status, latency);
  }
  void count_abandoned() noexcept { abandoned_.add(); }
  void count_wait(WaitOperation operation, Ticks duration) noexcept {
    waits_[static_cast<std::size_t>(operation)].record(duration);
  }
  void count_accepted() noexcept { accepted_.add(); }
  void refuse(RefusalReason reason) noexcept { refusals_[static_cast<std::size_t>(reason)].add(); }
  void refuse(ConnectionRefusal reason) noexcept { turned_away_[static_cast<std::size_t>(reason)].add(); }

  /// A request begins, with its scan.
  void begin_request() noexcept {
    if (--until_sample_ == 0) [[unlikely]] {
      begin_sample();
    }
  }
  /// The request goes on to its next stage; kIdle: all of it is done.
  void enter(Stage stage) noexcept {
    if (sampling_) [[unlikely]] {
      note(stage);
    }
  }
  /// What follows belongs to no stage: the handler waits.
  void leave_sample() noexcept { sampling_ = false; }

  // --- any thread ---

  [[nodiscard]] std::uint64_t requests(std::size_t method, std::size_t status) const {
    return requests_[method * kStatuses + status].value();
  }
  /// All of them.
  [[nodiscard]] std::uint64_t requests() const;
  [[nodiscard]] std::uint64_t abandoned() const { return abandoned_.value(); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_.value(); }
  [[nodiscard]] std::uint64_t refused(RefusalReason reason) const {
    return refusals_[static_cast<std::size_t>(reason)].value();
  }
  [[nodiscard]] std::uint64_t refused(ConnectionRefusal reason) const {
    return turned_away_[static_cast<std::size_t>(reason)].value();
  }
  [[nodiscard]] const Histogram& waits(WaitOperation operation) const {
    return waits_[static_cast<std::size_t>(operation)];
  }
  [[nodiscard]] const Histogram& stage(Stage stage) const { return stages_[static_cast<std::size_t>(stage)]; }
  /// Null where nothing was counted under the number.
  [[nodiscard]] const RouteLatencies* find(std::size_t number) const {
    return routes_[number].load(std::memory_order_acquire);
  }

 private:
  void begin_sample() noexcept;
  void note(Stage stage) noexcept;

  std::vector<Counter> requests_ = std::vector<Counter>(kMethods * kStatuses);
  RouteLatencies* unmatched_ = nullptr;
  Counter abandoned_;
  Counter accepted_;
  std::uint32_t until_sample_ = kSampleEvery;
  bool sampling_ = false;
  Stage stage_ = Stage::kIdle;
  Ticks since_ = 0;
  std::array<Counter, static_cast<std::size_t>(RefusalReason::kCount)> refusals_;
  std::array<Counter, static_cast<std::size_t>(ConnectionRefusal::kCount)> turned_away_;
  std::array<Histogram, kWaitOperations> waits_;
  std::array<Histogram, kStages> stages_;
  std::array<std::atomic<RouteLatencies*>, RouteNames::kMost> routes_{};
  std::vector<std::unique_ptr<RouteLatencies>> owned_;
};

}  // namespace perigee::profiler
