#pragma once

#include <cstdint>
#include <string_view>

namespace perigee::http {

/// How much a client wants each coding, in thousandths of Accept-Encoding's q (RFC 9110 section 12.5.3); 0: not at all.
struct CodingWishes {
  std::int32_t brotli = 0;
  std::int32_t gzip = 0;
  std::int32_t identity = 1;  ///< acceptable, but behind whatever was named
};

/// Reads an Accept-Encoding field's value. An element that is malformed counts for nothing.
[[nodiscard]] CodingWishes parse_accept_encoding(std::string_view text);

}  // namespace perigee::http
