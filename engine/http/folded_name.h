#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace perigee::http {

static_assert(std::endian::native == std::endian::little, "the words of names are laid out at compile time");

/// Bytes of a text as one little-endian word, at compile time and at run time. REQUIRES: offset + size <= text.size().
template <typename Word>
[[nodiscard]] constexpr Word word_at(std::string_view text, std::size_t offset = 0) {
  Word word = 0;
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < sizeof word; ++i) {
      word = static_cast<Word>(word | static_cast<Word>(Word{static_cast<unsigned char>(text[offset + i])} << (8 * i)));
    }
  } else {
    std::memcpy(&word, text.data() + offset, sizeof word);
  }
  return word;
}

/// A lower-case text of 4 to 20 bytes that others are compared with in any case, a word at a time: the first and the
/// last eight bytes (four of a text under eight) and, of one over sixteen, bytes 8 to 11.
class FoldedName {
 public:
  static constexpr std::size_t kShortest = 4;
  static constexpr std::size_t kLongest = 20;

  struct Ends {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };

  constexpr FoldedName() = default;
  constexpr explicit FoldedName(std::string_view lower)
      : ends_(ends_of(lower)),
        case_bits_{case_bits_of(ends_.first), case_bits_of(ends_.last)},
        size_(lower.size()),
        middle_(lower.size() > 16 ? word_at<std::uint32_t>(lower, 8) : 0),
        middle_case_bits_(static_cast<std::uint32_t>(case_bits_of(middle_))) {}

  /// REQUIRES: text.size() >= kShortest.
  [[nodiscard]] static constexpr Ends ends_of(std::string_view text) {
    if (text.size() < 8) {
      return {word_at<std::uint32_t>(text), word_at<std::uint32_t>(text, text.size() - 4)};
    }
    return {word_at<std::uint64_t>(text), word_at<std::uint64_t>(text, text.size() - 8)};
  }

  [[nodiscard]] constexpr bool equals(std::string_view text) const {
    return text.size() == size_ && equals(text, ends_of(text));
  }

  /// REQUIRES: `ends` are those of `text`.
  [[nodiscard]] constexpr bool equals(std::string_view text, const Ends& ends) const {
    return text.size() == size_ && (ends.first | case_bits_.first) == ends_.first &&
           (ends.last | case_bits_.last) == ends_.last &&
           (size_ <= 16 || (word_at<std::uint32_t>(text, 8) | middle_case_bits_) == middle_);
  }

 private:
  /// Or-ing these into a word makes its letters lower-case and leaves every other byte as it is.
  static constexpr std::uint64_t case_bits_of(std::uint64_t word) {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) {
      const std::uint64_t byte = (word >> shift) & 0xff;
      bits |= byte >= 'a' && byte <= 'z' ? std::uint64_t{0x20} << shift : 0;
    }
    return bits;
  }

  Ends ends_;
  Ends case_bits_;
  std::size_t size_ = 0;
  std::uint32_t middle_ = 0;
  std::uint32_t middle_case_bits_ = 0;
  [[maybe_unused]] std::uint64_t padding_[2] = {};  // a table of names is indexed by a shift
};

}  // namespace perigee::http
