#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/wait_operation.h"

namespace perigee::profiler {

/// What is waited for: an operation ("perigee.http") and whose answer it needs ("api.example:443"; empty for nobody's).
struct WaitSite {
  std::string operation;
  std::string peer;
};

constexpr std::size_t kMostWaitSites = 512;  ///< numbers; for more see wait_site()

/// The number of a site, the same whenever it is asked for. Never forgotten. Where there are kMostWaitSites already:
/// that of the operation without a peer; of an unknown operation 0, "other". Any thread.
[[nodiscard]] std::uint32_t wait_site(std::string_view operation, std::string_view peer);

/// What the waits of a site are counted under. REQUIRES: a number of wait_site(). Any thread.
[[nodiscard]] WaitOperation operation_of(std::uint32_t site) noexcept;

/// All sites so far, by number. Any thread.
[[nodiscard]] std::vector<WaitSite> wait_sites();

/// How often one worker's tasks waited, and how long, by site. The worker's thread adds, any thread reads.
class WaitTotals {
 public:
  struct Total {
    std::atomic<std::uint64_t> waits{0};
    std::atomic<std::int64_t> nanoseconds{0};
  };

  /// REQUIRES: a number of wait_site().
  void add(std::uint32_t site, std::int64_t nanoseconds) noexcept {
    Total& total = totals_[site];
    total.waits.store(total.waits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    total.nanoseconds.store(total.nanoseconds.load(std::memory_order_relaxed) + nanoseconds, std::memory_order_relaxed);
  }
  [[nodiscard]] const Total& of(std::uint32_t site) const { return totals_[site]; }

 private:
  std::array<Total, kMostWaitSites> totals_{};
};

}  // namespace perigee::profiler
