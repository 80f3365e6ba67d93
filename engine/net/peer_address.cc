#include "net/peer_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>

namespace perigee::net {

PeerAddress PeerAddress::of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    return of(AF_INET, &v4.sin_addr, ntohs(v4.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    return of(AF_INET6, &v6.sin6_addr, ntohs(v6.sin6_port));
  }
  PeerAddress peer;
  peer.family = storage.ss_family;
  return peer;
}

PeerAddress PeerAddress::of(sa_family_t family, const void* address, std::uint16_t port) {
  PeerAddress peer;
  peer.family = family;
  peer.port = port;
  std::memcpy(peer.bytes.data(), address, family == AF_INET ? 4 : 16);
  if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(static_cast<const in6_addr*>(address))) {
    peer.family = AF_INET;
    std::copy_n(peer.bytes.begin() + 12, 4, peer.bytes.begin());
    std::fill(peer.bytes.begin() + 4, peer.bytes.end(), std::uint8_t{0});
  }
  return peer;
}

std::optional<PeerAddress> PeerAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = "";
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  text.copy(terminated, text.size());
  in6_addr address{};
  const sa_family_t family = text.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, terminated, &address) != 1) {
    return std::nullopt;
  }
  return of(family, &address, 0);
}

// Much quicker than inet_ntop(): most access lines begin with one.
static std::string ipv4_text(const std::array<std::uint8_t, 16>& bytes) {
  char text[INET_ADDRSTRLEN];
  char* at = text;
  for (std::size_t i = 0; i < 4; ++i) {
    at = std::to_chars(at, std::end(text), bytes[i]).ptr;
    *at++ = '.';
  }
  return {text, at - 1};
}

std::string PeerAddress::text() const {
  if (family == AF_INET) {
    return ipv4_text(bytes);
  }
  if (family != AF_INET6) {
    return "unix";
  }
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, bytes.data(), text, sizeof text);
  return text;
}

}  // namespace perigee::net
