#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace perigee::net {

/// Who is at the other end, in 20 bytes: what a connection can afford to keep.
struct PeerAddress {
  sa_family_t family = AF_UNSPEC;
  std::uint16_t port = 0;
  std::array<std::uint8_t, 16> bytes{};  ///< the first four for IPv4

  /// Reads what accept() gave. An IPv4 address inside IPv6 (::ffff:a.b.c.d) becomes IPv4.
  static PeerAddress of(const sockaddr_storage& storage);

  /// The same of an address in network order: 4 bytes for AF_INET, 16 for AF_INET6.
  static PeerAddress of(sa_family_t family, const void* address, std::uint16_t port);

  /// Reads "192.0.2.1" or "2001:db8::1", without port, brackets and zone; nothing when it is no such address.
  [[nodiscard]] static std::optional<PeerAddress> parse(std::string_view text);

  /// "127.0.0.1", "::1", "unix".
  [[nodiscard]] std::string text() const;

  /// The bytes as two numbers, in the machine's order.
  [[nodiscard]] std::array<std::uint64_t, 2> halves() const {
    return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
  }

  /// Equal hosts compare equal whatever their port.
  [[nodiscard]] bool same_host(const PeerAddress& other) const {
    return family == other.family && halves() == other.halves();
  }
};

}  // namespace perigee::net
