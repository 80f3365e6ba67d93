#include "net/peer_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace perigee::net {

PeerAddress PeerAddress::of(const sockaddr_storage& storage) {
  PeerAddress peer;
  peer.family = storage.ss_family;
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    peer.port = ntohs(v4.sin_port);
    std::memcpy(peer.bytes.data(), &v4.sin_addr, 4);
  } else if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    peer.port = ntohs(v6.sin6_port);
    std::memcpy(peer.bytes.data(), &v6.sin6_addr, 16);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      peer.family = AF_INET;
      std::copy_n(peer.bytes.begin() + 12, 4, peer.bytes.begin());
      std::fill(peer.bytes.begin() + 4, peer.bytes.end(), std::uint8_t{0});
    }
  }
  return peer;
}

std::string PeerAddress::text() const {
  if (family != AF_INET && family != AF_INET6) {
    return "unix";
  }
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, bytes.data(), text, sizeof text);
  return text;
}

}  // namespace perigee::net
