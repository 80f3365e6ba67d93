#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/peer_address.h"

namespace perigee::net {

/// What a PROXY header says of the connection it opens, by version 1 (a line of text) or 2 (binary). Source: Willy
/// Tarreau, "The PROXY protocol, Versions 1 & 2", HAProxy, revision of 2020-03-05; the sections named are its own.
struct ProxyHeader {
  enum class Verdict : std::uint8_t { kIncomplete, kComplete, kMalformed };

  /// Bytes of the longest version 1 header (section 2.1) and of the longest version 2 header we take, its TLVs
  /// included.
  static constexpr std::size_t kMostText = 107;
  static constexpr std::size_t kMostBinary = 4096;

  Verdict verdict = Verdict::kIncomplete;
  std::size_t size = 0;     ///< bytes of a complete header; what follows is the client's
  std::string_view reason;  ///< of a malformed one
  bool told = false;        ///< whether `client` is known: not for LOCAL, UNKNOWN and what is no stream over IP or Unix
  PeerAddress client;       ///< who connected to the proxy
  bool secure = false;      ///< whether they did so by TLS (PP2_TYPE_SSL, section 2.2.6)
};

/// Reads the header that `bytes` begin with. Pure: bytes may come in any portions, each time the whole is read again.
/// Bytes that can't become a header are malformed at once, however few they are.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace perigee::net
