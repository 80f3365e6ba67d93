#pragma once

#include <bit>
#include <cstdint>

#include "http/byte_class.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Finding the byte that ends something, sixteen at a time where the machine has SSE2.
namespace perigee::http::byte_scan {

#if defined(__SSE2__)

using Block = __m128i;

inline Block load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const Block*>(at));
}
inline Block equal(Block block, char byte) {
  return _mm_cmpeq_epi8(block, _mm_set1_epi8(byte));
}
/// Bytes no greater than `most`, unsigned.
inline Block at_most(Block block, char most) {
  return _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(most)), block);
}
inline std::uint32_t bits(Block mask) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(mask));
}

#endif

/// The bytes that most header names are made of: letters, digits and hyphens. Other token bytes end the search too.
struct NameBytes {
  static bool ends(char byte) {
    const char lower = static_cast<char>(byte | 0x20);
    return !((lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '-');
  }
#if defined(__SSE2__)
  static Block members(Block block) {
    const Block letters = at_most(_mm_sub_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)), _mm_set1_epi8('a')), 25);
    const Block digits = at_most(_mm_sub_epi8(block, _mm_set1_epi8('0')), 9);
    return _mm_or_si128(_mm_or_si128(letters, digits), equal(block, '-'));
  }
  static std::uint32_t end_bits(Block block) {
    return bits(members(block)) ^ 0xffff;
  }
#endif
};

/// The bytes that most hosts are made of.
struct HostBytes {
  static bool ends(char byte) { return NameBytes::ends(byte) && byte != '.'; }
#if defined(__SSE2__)
  static std::uint32_t end_bits(Block block) {
    return NameBytes::end_bits(block) & ~bits(equal(block, '.'));
  }
#endif
};

/// The bytes a field value holds (RFC 9110 section 5.5). HTAB ends the search too: it is rare, and costs to tell apart.
struct ValueBytes {
  static bool ends(char byte) { return byte == '\t' || !is_byte(byte, kValueByte); }
#if defined(__SSE2__)
  static std::uint32_t end_bits(Block block) {
    return bits(_mm_or_si128(at_most(block, 0x1f), equal(block, 0x7f)));
  }
#endif
};

/// The bytes that may be read: [begin, end), sixteen at once from any place before wide_end.
struct Range {
  Range(const char* from, const char* to) : begin(from), end(to), wide_end(to - from >= 16 ? to - 15 : from) {}
  const char* const begin;
  const char* const end;
  const char* const wide_end;
};

/// The first byte at or after `at` that does not belong to the class; the end when all do.
template <typename Bytes>
[[nodiscard]] inline const char* find_end(const Range& range, const char* at) {
#if defined(__SSE2__)
  for (; at < range.wide_end; at += 16) {
    if (const std::uint32_t found = Bytes::end_bits(load(at)); found != 0) {
      return at + std::countr_zero(found);
    }
  }
  if (range.end - range.begin >= 16) {  // the last sixteen bytes, without those already seen
    const std::uint32_t found = Bytes::end_bits(load(range.end - 16)) >> (16 - (range.end - at));
    return found != 0 ? at + std::countr_zero(found) : range.end;
  }
#endif
  while (at != range.end && !Bytes::ends(*at)) {
    ++at;
  }
  return at;
}

template <typename Bytes>
[[gnu::noinline]] const char* find_far_end(const Range& range, const char* at) {
  return find_end<Bytes>(range, at);
}

/// find_end() where it mostly is within sixteen bytes.
template <typename Bytes>
[[nodiscard]] inline const char* find_near_end(const Range& range, const char* at) {
#if defined(__SSE2__)
  if (at < range.wide_end) {
    if (const std::uint32_t found = Bytes::end_bits(load(at)); found != 0) {
      return at + std::countr_zero(found);
    }
  }
#endif
  return find_far_end<Bytes>(range, at);
}

}  // namespace perigee::http::byte_scan
