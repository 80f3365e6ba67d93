#pragma once

#include <atomic>
#include <cstdint>

namespace perigee {

/// A count that one thread adds to and any thread reads. Adding is a plain load and store: no locked instruction.
class Counter {
 public:
  /// Its owner's thread only.
  void add(std::uint64_t more = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace perigee
