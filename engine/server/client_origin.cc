#include "server/client_origin.h"

#include <optional>

#include "http/forwarded.h"

namespace perigee::server {

ClientOrigin client_origin(const http::RequestHead& head, const ClientOrigin& direct, const net::AddressSet& trusted) {
  ClientOrigin origin = direct;
  if (!trusted.contains(direct.address)) {
    return origin;
  }
  http::ForwardedHops hops(head);
  while (const std::optional<http::ForwardedHop> hop = hops.next()) {
    const std::optional<net::PeerAddress> sender = net::PeerAddress::parse(hop->node);
    if (!sender && !hop->node.empty()) {
      break;
    }
    origin.secure = hop->proto.empty() ? origin.secure : hop->proto == "https";
    if (!sender) {
      break;
    }
    origin.address = *sender;
    if (!trusted.contains(*sender)) {
      break;
    }
  }
  return origin;
}

}  // namespace perigee::server
