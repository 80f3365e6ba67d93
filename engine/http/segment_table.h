#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/text_words.h"

namespace perigee::http {

/// Maps the literal segments at one place of a trie to positions, in the order they were added: a hash table with open
/// addressing, at most half full. Grows only while routes are added.
class SegmentTable {
 public:
  static constexpr std::int32_t kAbsent = -1;

  [[nodiscard, gnu::always_inline]] std::int32_t find(std::string_view segment) const {
    if ((sizes_ >> (segment.size() & 63) & 1) == 0) {  // also where there is none
      return kAbsent;
    }
    for (std::size_t slot = start_of(segment);; slot = (slot + 1) & (slots_.size() - 1)) {
      const Slot& entry = slots_[slot];
      if (entry.position == kAbsent || text_words::equal(entry.text, segment)) {
        return entry.position;
      }
    }
  }

  /// REQUIRES: find(segment) == kAbsent.
  std::int32_t add(std::string_view segment);

 private:
  struct Slot {
    std::string text;
    std::int32_t position = kAbsent;
  };

  /// The slot that the search for a segment starts at: the top bits of a mix of its size and of eight bytes from either
  /// end, or of all its bytes.
  [[nodiscard, gnu::always_inline]] std::size_t start_of(std::string_view text) const {
    constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (text.size() >= 8) {
      first = text_words::load<std::uint64_t>(text.data());
      last = text_words::load<std::uint64_t>(text.data() + text.size() - 8);
    } else if (!text.empty()) {
      first = text_words::word_of(text);
    }
    const std::uint64_t mixed = (first + text.size()) * kFactor ^ last;
    return static_cast<std::size_t>((mixed ^ mixed >> 32) * kFactor >> shift_);
  }

  void place(Slot slot);

  std::vector<Slot> slots_;
  std::uint64_t sizes_ = 0;  ///< bit n: there are segments of n bytes, or of n more than a multiple of 64
  int shift_ = 64;           ///< 64 less the bits of a slot's number
  std::int32_t count_ = 0;
};

}  // namespace perigee::http
