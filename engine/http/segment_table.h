#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace perigee::http {

/// Maps the literal segments at one place of a trie to positions, in the order they were added: a hash table with open
/// addressing, at most half full. Grows only while routes are added.
class SegmentTable {
 public:
  static constexpr std::int32_t kAbsent = -1;

  [[nodiscard]] std::int32_t find(std::string_view segment) const {
    if (slots_.empty()) {
      return kAbsent;
    }
    for (std::size_t slot = hash(segment) & mask();; slot = (slot + 1) & mask()) {
      const Slot& entry = slots_[slot];
      if (entry.position == kAbsent || entry.text == segment) {
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

  /// Mixes the size and up to sixteen bytes from both ends.
  static std::size_t hash(std::string_view text) {
    constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (text.size() >= 8) {
      std::memcpy(&first, text.data(), 8);
      std::memcpy(&last, text.data() + text.size() - 8, 8);
    } else {
      for (const char byte : text) {
        first = first << 8 | static_cast<unsigned char>(byte);
      }
    }
    return static_cast<std::size_t>(((first * kFactor ^ last) + text.size()) * kFactor >> 32);
  }

  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  void place(Slot slot);

  std::vector<Slot> slots_;
  std::int32_t count_ = 0;
};

}  // namespace perigee::http
