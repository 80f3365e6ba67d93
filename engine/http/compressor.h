#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/content_coding.h"

namespace perigee::http {

/// Compresses one body in a content coding (RFC 9110 section 8.4.1): gzip (RFC 1952) by zlib, br (RFC 7932) by
/// libbrotli. One thread at a time.
class Compressor {
 public:
  static constexpr int kMostGzip = 9;
  static constexpr int kMostBrotli = 11;

  /// How far what was given so far must have come out.
  enum class Reach : std::uint8_t {
    kFlush,  ///< whoever decompresses can read all of it
    kEnd     ///< likewise, and nothing follows
  };

  /// `level` is 1 to 9 of gzip, 0 to 11 of brotli. `size` is the body's size where it is known: a small one takes less
  /// memory, otherwise it is 256 KiB for gzip, and some MiB for brotli at high levels. Throws std::bad_alloc.
  Compressor(Coding coding, int level, std::optional<std::size_t> size = std::nullopt);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// Appends what comes of some more bytes. REQUIRES: it was not ended. Throws std::bad_alloc.
  void write(std::string_view bytes, Reach reach, std::string& out);
  [[nodiscard]] bool ended() const { return stream_ == nullptr; }

 private:
  struct Stream;
  struct Gzip;
  struct Brotli;

  std::unique_ptr<Stream> stream_;  // goes with the end
};

}  // namespace perigee::http
