#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perigee::http {

/// A piece of a representation: `size` bytes from `first` on.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};

/// What a Range field asks of a representation (RFC 9110 section 14.2).
struct ByteRanges {
  static constexpr std::size_t kMost = 16;  ///< ranges in one field; with more the field is ignored

  enum class Verdict : std::uint8_t {
    kIgnored,       ///< no byte ranges, malformed, or too many: the whole is sent
    kSatisfiable,   ///< `ranges` are sent
    kUnsatisfiable  ///< none of them lies in the representation: 416
  };

  Verdict verdict = Verdict::kIgnored;
  std::size_t count = 0;
  std::array<ByteRange, kMost> ranges{};

  [[nodiscard]] const ByteRange* begin() const { return ranges.data(); }
  [[nodiscard]] const ByteRange* end() const { return ranges.data() + count; }
};

/// Reads a Range field's value for a representation of `size` bytes. Ranges that overlap, or lie closer than the head
/// of a part is long, become one (section 15.3.7.2), so that no more than the representation is ever sent; the others
/// keep their order. An empty representation has no ranges: the field is ignored.
[[nodiscard]] ByteRanges parse_byte_ranges(std::string_view text, std::uint64_t size);

}  // namespace perigee::http
