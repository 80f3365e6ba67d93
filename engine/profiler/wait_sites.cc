#include "profiler/wait_sites.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace perigee::profiler {

namespace {

WaitOperation operation_named(std::string_view who) {
  const auto* const found =
      std::find_if(kWaiting.begin(), kWaiting.end(), [who](const Waiting& each) { return each.who == who; });
  return found == kWaiting.end() ? WaitOperation::kOther : found->operation;
}

class Sites {
 public:
  Sites() {
    known_.push_back({"other", ""});
    for (const Waiting& each : kWaiting) {
      (void)number_of(each.who, "");
    }
  }

  std::uint32_t number_of(std::string_view operation, std::string_view peer) {
    const std::lock_guard lock(mutex_);
    std::pair<std::string, std::string> key(operation, peer);
    if (const auto found = numbers_.find(key); found != numbers_.end()) {
      return found->second;
    }
    if (known_.size() >= kMostWaitSites) {
      const auto whole = numbers_.find({key.first, ""});
      return whole == numbers_.end() ? 0 : whole->second;
    }
    const auto number = static_cast<std::uint32_t>(known_.size());
    known_.push_back({key.first, key.second});
    operations_[number].store(operation_named(operation), std::memory_order_relaxed);
    numbers_.emplace(std::move(key), number);
    return number;
  }

  std::vector<WaitSite> all() {
    const std::lock_guard lock(mutex_);
    return known_;
  }

  [[nodiscard]] WaitOperation operation_of(std::uint32_t number) const noexcept {
    return operations_[number].load(std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;
  std::vector<WaitSite> known_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
  std::array<std::atomic<WaitOperation>, kMostWaitSites> operations_{};
};

Sites& sites() {
  static Sites all;
  return all;
}

}  // namespace

std::uint32_t wait_site(std::string_view operation, std::string_view peer) {
  return sites().number_of(operation, peer);
}

WaitOperation operation_of(std::uint32_t site) noexcept {
  return sites().operation_of(site);
}

std::vector<WaitSite> wait_sites() {
  return sites().all();
}

}  // namespace perigee::profiler
