#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Texts that are mostly short, eight bytes at once and without a call.
namespace perigee::http::text_words {

template <typename Word>
[[nodiscard]] inline Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The bytes of a text and no others, some of them more than once. Of two texts of one size it is the same only where
/// they are. REQUIRES: one byte to eight.
[[nodiscard, gnu::always_inline]] inline std::uint64_t word_of(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.size() >= 4) {
    return load<std::uint32_t>(text.data()) | std::uint64_t{load<std::uint32_t>(end - 4)} << 32;
  }
  const auto byte = [](char at) { return std::uint64_t{static_cast<unsigned char>(at)}; };
  const std::uint64_t last = byte(end[-1]);
  const std::uint64_t half = byte(text.front()) | byte(text[text.size() / 2]) << 8 | last << 16 | last << 24;
  return half | half << 32;
}

/// Whether two texts are the same.
[[nodiscard, gnu::always_inline]] inline bool equal(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) {
    return false;
  }
  if (size < 4) {
    return size == 0 || (a.front() == b.front() && a[size / 2] == b[size / 2] && a.back() == b.back());
  }
  if (size < 8) {
    return word_of(a) == word_of(b);
  }
  const auto same = [&](std::size_t at) {
    return load<std::uint64_t>(a.data() + at) == load<std::uint64_t>(b.data() + at);
  };
  if (size > 32) {
    return std::memcmp(a.data(), b.data(), size) == 0;
  }
  return same(0) && same(size - 8) && (size <= 16 || (same(8) && same(size - 16)));
}

/// Copies a text and returns where it ends.
[[gnu::always_inline]] inline char* copy(char* to, std::string_view text) {
  const char* const from = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      std::memcpy(to + at, from + at, 8);
    }
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (std::size_t at = 0; at < size; ++at) {
      to[at] = from[at];
    }
  }
  return to + size;
}

/// Likewise; a longer one by a call.
[[gnu::always_inline]] inline char* copy_short(char* to, std::string_view text) {
  if (text.size() > 64) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }
  return copy(to, text);
}

}  // namespace perigee::http::text_words
