#include "profiler/request_meter.h"

#include <numeric>

namespace perigee::profiler {

std::string_view name_of(RefusalReason reason) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(RefusalReason::kCount)> kNames = {
      "head",     "head_timeout", "body",      "body_too_large", "body_timeout",
      "no_route", "method",       "parameter", "time_limit"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name_of(ConnectionRefusal reason) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(ConnectionRefusal::kCount)> kNames = {
      "server_full", "address_full", "proxy_header"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name_of(Stage stage) {
  static constexpr std::array<std::string_view, RequestMeter::kStages> kNames = {"idle", "scan",      "route",
                                                                                 "lua",  "serialize", "write"};
  return kNames[static_cast<std::size_t>(stage)];
}

RequestMeter::RequestMeter() {
  unmatched_ = &route(RouteNames::kUnmatched);
}

RouteLatencies& RequestMeter::route(std::size_t number) {
  if (RouteLatencies* known = routes_[number].load(std::memory_order_relaxed); known != nullptr) {
    return *known;
  }
  owned_.push_back(std::make_unique<RouteLatencies>());
  routes_[number].store(owned_.back().get(), std::memory_order_release);
  return *owned_.back();
}

std::uint64_t RequestMeter::requests() const {
  return std::accumulate(requests_.begin(), requests_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Counter& counter) { return sum + counter.value(); });
}

void RequestMeter::begin_sample() noexcept {
  until_sample_ = kSampleEvery;
  sampling_ = true;
  stage_ = Stage::kScan;
  since_ = ticks();
}

// A stage ends where the next one begins; an earlier one is the next pipelined request's.
void RequestMeter::note(Stage stage) noexcept {
  sampling_ = stage > stage_;
  if (!sampling_ && stage != Stage::kIdle) {
    return;
  }
  const Ticks now = ticks();
  stages_[static_cast<std::size_t>(stage_)].record(ticks_between(since_, now));
  stage_ = stage;
  since_ = now;
}

}  // namespace perigee::profiler
