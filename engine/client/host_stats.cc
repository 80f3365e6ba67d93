#include "client/host_stats.h"

namespace perigee::client {

HostStats& HostTable::of(std::string_view host) {
  if (const auto found = hosts_.find(host); found != hosts_.end()) {
    return found->second;
  }
  return hosts_[hosts_.size() < kMost ? std::string(host) : "others"];
}

std::shared_ptr<void> HostTable::mark_open(HostStats& stats) {
  ++stats.open;
  return {&stats, [](void* counted) { --static_cast<HostStats*>(counted)->open; }};
}

}  // namespace perigee::client
