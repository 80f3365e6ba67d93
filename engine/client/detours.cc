#include "client/detours.h"

namespace perigee::client {

void Detours::add(const std::string& host, int port, int local) {
  const std::lock_guard lock(mutex_);
  ports_[{host, port}] = local;
}

void Detours::remove(int local) {
  const std::lock_guard lock(mutex_);
  std::erase_if(ports_, [local](const auto& each) { return each.second == local; });
}

int Detours::find(const std::string& host, int port) const {
  const std::lock_guard lock(mutex_);
  auto found = ports_.find({host, port});
  if (found == ports_.end()) {
    found = ports_.find({host, 0});
  }
  return found == ports_.end() ? 0 : found->second;
}

}  // namespace perigee::client
