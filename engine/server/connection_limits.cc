#include "server/connection_limits.h"

#include <functional>
#include <string_view>

namespace perigee::server {

std::size_t ConnectionLimits::Hash::operator()(const net::PeerAddress& peer) const noexcept {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(peer.bytes.data()), peer.bytes.size()});
}

ConnectionLimits::Verdict ConnectionLimits::admit(const net::PeerAddress& peer, std::int64_t most,
                                                  std::int64_t per_address) {
  const std::lock_guard lock(mutex_);
  if (static_cast<std::int64_t>(count_) >= most) {
    return Verdict::kTooMany;
  }
  if (!count_address(peer, per_address)) {
    return Verdict::kTooManyFromAddress;
  }
  ++count_;
  return Verdict::kAdmitted;
}

ConnectionLimits::Verdict ConnectionLimits::attribute(const net::PeerAddress& peer, std::int64_t per_address) {
  const std::lock_guard lock(mutex_);
  return count_address(peer, per_address) ? Verdict::kAdmitted : Verdict::kTooManyFromAddress;
}

bool ConnectionLimits::count_address(const net::PeerAddress& peer, std::int64_t per_address) {
  if (peer.family != AF_INET && peer.family != AF_INET6) {
    return true;
  }
  std::int64_t& here = by_address_[peer];
  if (per_address > 0 && here >= per_address) {
    return false;
  }
  ++here;
  return true;
}

void ConnectionLimits::release(const net::PeerAddress& peer) {
  const std::lock_guard lock(mutex_);
  --count_;
  if (const auto found = by_address_.find(peer); found != by_address_.end() && --found->second == 0) {
    by_address_.erase(found);
  }
}

std::size_t ConnectionLimits::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace perigee::server
