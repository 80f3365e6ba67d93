#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace perigee::http {

/// How much a client wants each coding, in thousandths of Accept-Encoding's q (RFC 9110 section 12.5.3); 0: not at all.
struct CodingWishes {
  std::int32_t brotli = 0;
  std::int32_t gzip = 0;
  std::int32_t identity = 1;  ///< acceptable, but behind whatever was named
};

enum class Coding : std::uint8_t { kGzip, kBrotli };

/// The coding that a client wants most of those on offer, brotli where it is all the same; nothing where it would
/// rather have none.
[[nodiscard]] std::optional<Coding> choose_coding(const CodingWishes& wishes, bool gzip, bool brotli);

/// Reads an Accept-Encoding field's value. An element that is malformed counts for nothing.
[[nodiscard]] CodingWishes parse_accept_encoding(std::string_view text);

}  // namespace perigee::http
