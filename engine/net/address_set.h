#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/peer_address.h"

namespace perigee::net {

/// Hosts given by address, by network (RFC 4632) or as "unix", every peer of a Unix socket. A value; any thread.
class AddressSet {
 public:
  /// Adds "192.0.2.1", "10.0.0.0/8", "2001:db8::/32" or "unix". Host bits behind a prefix must be zero. IPv4 within
  /// IPv6 ("::ffff:10.0.0.0/104") is IPv4. The error says what is wrong without showing the text.
  [[nodiscard]] Result<> add(std::string_view text);

  [[nodiscard]] bool contains(const PeerAddress& peer) const;
  [[nodiscard]] bool empty() const { return networks_.empty() && !unix_; }

 private:
  struct Network {
    PeerAddress address;
    int bits;  // of the prefix
  };

  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace perigee::net
