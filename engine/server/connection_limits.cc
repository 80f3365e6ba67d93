#include "server/connection_limits.h"

#include "base/crypto.h"

namespace perigee::server {

ConnectionLimits::Hash::Hash() : first(random_number()), second(random_number()) {}

std::size_t ConnectionLimits::Hash::operator()(const net::PeerAddress& peer) const noexcept {
  const auto halves = peer.halves();
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(halves[0] ^ first) * (halves[1] ^ second);
  return static_cast<std::size_t>(product ^ (product >> 64));
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
  const auto found = by_address_.find(peer);
  if (found != by_address_.end() && --found->second == 0 && by_address_.size() > count_ + kKept) {
    by_address_.erase(found);
  }
}

std::size_t ConnectionLimits::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace perigee::server
