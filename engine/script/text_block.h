#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace perigee::script {

#ifdef __SSE2__

/// Sixteen bytes of a text, looked at all at once for what can't stand for itself in JSON: what is no ASCII, controls,
/// quotes and backslashes.
class TextBlock {
 public:
  static constexpr std::size_t kSize = 16;  ///< bytes

  [[nodiscard]] static TextBlock at(const char* text) {
    return TextBlock(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text)));
  }
  TextBlock(std::uint64_t first, std::uint64_t last)
      : bytes_(_mm_set_epi64x(static_cast<std::int64_t>(last), static_cast<std::int64_t>(first))) {}

  void copy_to(char* place) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(place), bytes_); }
  [[nodiscard]] bool is_plain() const { return special() == 0; }

  /// One bit for each byte that can't stand for itself, the lowest for the first.
  [[nodiscard]] unsigned special() const { return static_cast<unsigned>(_mm_movemask_epi8(marks())); }

  /// Whether all of four blocks can.
  [[nodiscard]] static bool are_four_plain(const char* text) {
    const __m128i first = _mm_or_si128(at(text).marks(), at(text + kSize).marks());
    const __m128i last = _mm_or_si128(at(text + 2 * kSize).marks(), at(text + 3 * kSize).marks());
    return _mm_movemask_epi8(_mm_or_si128(first, last)) == 0;
  }

 private:
  explicit TextBlock(__m128i bytes) : bytes_(bytes) {}

  // The high bit of each byte that special() names.
  [[nodiscard]] __m128i marks() const {
    const __m128i ends =
        _mm_or_si128(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('\\')));
    const __m128i low = _mm_cmpgt_epi8(_mm_set1_epi8(' '), bytes_);  // what is no ASCII is negative
    return _mm_or_si128(ends, low);
  }

  __m128i bytes_;
};

#else

class TextBlock {
 public:
  static constexpr std::size_t kSize = 16;

  [[nodiscard]] static TextBlock at(const char* text) {
    TextBlock block(0, 0);
    std::memcpy(block.words_, text, kSize);
    return block;
  }
  TextBlock(std::uint64_t first, std::uint64_t last) : words_{first, last} {}

  void copy_to(char* place) const { std::memcpy(place, words_, kSize); }
  [[nodiscard]] bool is_plain() const { return ((special(words_[0]) | special(words_[1])) & 0x80 * kOnes) == 0; }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101;

  // The high bit of the lowest byte that can't stand for itself, and perhaps of some above it.
  static std::uint64_t special(std::uint64_t word) {
    const auto zeros = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
    const std::uint64_t controls = (word - 0x20 * kOnes) & ~word;
    return word | controls | zeros(word ^ '"' * kOnes) | zeros(word ^ '\\' * kOnes);
  }

  std::uint64_t words_[2];
};

#endif

}  // namespace perigee::script
