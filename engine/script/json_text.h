#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/escape.h"
#include "script/text_block.h"

namespace perigee::script {

/// Appends `text` as a JSON string with its quotes. False, with `out` in an unspecified state, when it is not UTF-8.
[[nodiscard]] bool append_json_text(ByteBuffer& out, std::string_view text);

namespace text {

/// Copies a text by two words, which overlap where they must.
template <typename Word>
[[nodiscard]] inline TextBlock copy_ends(char* to, const char* from, std::size_t size) {
  Word first = 0;
  Word last = 0;
  std::memcpy(&first, from, sizeof first);
  std::memcpy(&last, from + size - sizeof last, sizeof last);
  std::memcpy(to, &first, sizeof first);
  std::memcpy(to + size - sizeof last, &last, sizeof last);
  if constexpr (sizeof(Word) == 8) {
    return {first, last};
  }
  const std::uint64_t both = first | static_cast<std::uint64_t>(last) << 32;
  return {both, both};
}

/// The same of one to three bytes.
[[nodiscard]] inline TextBlock copy_bytes(char* to, const char* from, std::size_t size) {
  std::uint64_t all = ' ';
  for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
    to[at] = from[at];
    all = all << 8 | static_cast<unsigned char>(from[at]);
  }
  return {all | all << 32, all | all << 32};
}

[[nodiscard, gnu::noinline]] inline bool copy_long(char* to, const char* from, std::size_t size) {
  const std::size_t last = size - TextBlock::kSize;
  for (std::size_t at = 0;; at = at + TextBlock::kSize < last ? at + TextBlock::kSize : last) {
    const TextBlock block = TextBlock::at(from + at);
    block.copy_to(to + at);
    if (!block.is_plain()) {
      return false;
    }
    if (at == last) {
      return true;
    }
  }
}

}  // namespace text

/// Copies a text in which every byte stands for itself in JSON. False, with anything in its place, where one does not.
[[nodiscard, gnu::always_inline]] inline bool copy_plain_text(char* to, std::string_view text) {
  const std::size_t size = text.size();
  if (size > TextBlock::kSize) {
    return text::copy_long(to, text.data(), size);
  }
  if (size >= 8) {
    return text::copy_ends<std::uint64_t>(to, text.data(), size).is_plain();
  }
  if (size >= 4) {
    return text::copy_ends<std::uint32_t>(to, text.data(), size).is_plain();
  }
  return size == 0 || text::copy_bytes(to, text.data(), size).is_plain();
}

}  // namespace perigee::script
