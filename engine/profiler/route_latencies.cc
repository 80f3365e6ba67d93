#include "profiler/route_latencies.h"

#include <new>

namespace perigee::profiler {

RouteLatencies::~RouteLatencies() {
  for (const auto& histogram : by_class_) {
    delete histogram.load(std::memory_order_relaxed);
  }
}

Histogram* RouteLatencies::make(std::size_t digit) noexcept {
  auto* made = new (std::nothrow) Histogram;
  by_class_[digit].store(made, std::memory_order_release);
  return made;
}

RouteNames::RouteNames() : names_{{"", "(none)"}, {"", "(other)"}} {}

std::size_t RouteNames::number_of(std::string_view method, std::string_view pattern) {
  const std::lock_guard lock(mutex_);
  std::pair<std::string, std::string> key(method, pattern);
  if (const auto found = known_.find(key); found != known_.end()) {
    return found->second;
  }
  if (names_.size() >= kMost) {
    return kOther;
  }
  names_.push_back({key.first, key.second});
  known_.emplace(std::move(key), names_.size() - 1);
  return names_.size() - 1;
}

std::string RouteNames::text(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  const bool named = number < names_.size() && !names_[number].method.empty();
  return named ? names_[number].method + " " + names_[number].pattern : std::string();
}

std::vector<RouteNames::Name> RouteNames::all() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

}  // namespace perigee::profiler
