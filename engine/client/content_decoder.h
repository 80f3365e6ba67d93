#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace perigee::client {

/// Takes a content coding off a body that comes in pieces (RFC 9110 section 8.4.1): gzip (RFC 1952) or br (RFC 7932).
/// What a few bytes may grow to is bounded by whoever feeds it. No I/O.
class ContentDecoder {
 public:
  enum class Outcome : std::uint8_t {
    kTaken,  ///< all bytes were decoded
    kFull,   ///< `most` bytes are there, and more would come
    kMalformed
  };

  virtual ~ContentDecoder() = default;

  /// Adds what the bytes stand for to `out`, which stays within `most` bytes.
  [[nodiscard]] virtual Outcome feed(std::string_view bytes, std::string& out, std::size_t most) = 0;

  /// Whether the coding's own end was reached.
  [[nodiscard]] virtual bool ended() const = 0;

  /// The decoder of a Content-Encoding; null for one that is not known, or none.
  [[nodiscard]] static std::unique_ptr<ContentDecoder> make(std::string_view coding);
};

}  // namespace perigee::client
