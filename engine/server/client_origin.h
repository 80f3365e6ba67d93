#pragma once

#include "http/request_head.h"
#include "net/address_set.h"
#include "net/peer_address.h"

namespace perigee::server {

/// Who a request comes from and whether TLS brought it, as far as those who passed it on are believed.
struct ClientOrigin {
  net::PeerAddress address;
  bool secure = false;
};

/// Follows the forwarding headers of a request from `direct`, the connection's own end, for as long as the senders they
/// name are trusted: the first that isn't is the client. What is hidden or malformed ends the way there. An untrusted
/// `direct` is the client, whatever it claims. Pure; any thread.
[[nodiscard]] ClientOrigin client_origin(const http::RequestHead& head, const ClientOrigin& direct,
                                         const net::AddressSet& trusted);

}  // namespace perigee::server
