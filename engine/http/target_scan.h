#pragma once

#include <bit>
#include <cstdint>

#include "http/byte_class.h"
#include "http/byte_scan.h"

/// Finding the end of a request target, and on the way what its path needs.
namespace perigee::http {

/// What a scan over a request target found.
struct TargetMarks {
  const char* end = nullptr;    ///< the first byte that no target holds
  const char* query = nullptr;  ///< the first "?"
  bool raw = true;              ///< no "%", no backslash and no segment that begins with "." before the query
};

#if defined(__SSE2__)
/// The bits below the lowest one of `bits`; all when there is none.
constexpr std::uint32_t below(std::uint32_t bits) {
  return (bits & (0 - bits)) - 1;
}

/// Marks sixteen bytes of a target, `slash` telling whether a slash stands before them and then whether one ends them.
inline void mark_block(TargetMarks& marks, const char* at, std::uint32_t& slash) {
  const byte_scan::Block block = byte_scan::load(at);
  const auto where = [block](char byte) { return byte_scan::equal(block, byte); };
  const byte_scan::Block visible = _mm_cmpgt_epi8(block, _mm_set1_epi8(0x20));
  const std::uint32_t ends = byte_scan::bits(_mm_andnot_si128(_mm_or_si128(where(0x7f), where('#')), visible)) ^ 0xffff;
  if (marks.query == nullptr) {
    const std::uint32_t query = byte_scan::bits(where('?')) & below(ends);
    const std::uint32_t slashes = byte_scan::bits(where('/'));
    const std::uint32_t dots = byte_scan::bits(where('.')) & (slashes << 1 | slash);
    const std::uint32_t odd = byte_scan::bits(_mm_or_si128(where('%'), where('\\'))) | dots;
    marks.raw = marks.raw && (odd & below(query | ends)) == 0;
    marks.query = query != 0 ? at + std::countr_zero(query) : nullptr;
    slash = slashes >> 15;
  }
  marks.end = ends != 0 ? at + std::countr_zero(ends) : nullptr;
}
#endif

/// Scans the target that begins at `at`. The end is that of the bytes when the target goes on behind them.
[[gnu::noinline, nodiscard]] inline TargetMarks scan_odd_target(const char* at, const char* end) {
  TargetMarks marks;
  bool after_slash = false;
#if defined(__SSE2__)
  for (std::uint32_t slash = 0; end - at >= 16; at += 16) {
    mark_block(marks, at, slash);
    if (marks.end != nullptr) {
      return marks;
    }
    after_slash = slash != 0;
  }
#endif
  for (; at != end && is_byte(*at, kTargetByte); ++at) {
    if (*at == '?' && marks.query == nullptr) {
      marks.query = at;
    }
    const bool odd = *at == '%' || *at == '\\' || (*at == '.' && after_slash);
    marks.raw = marks.raw && (marks.query != nullptr || !odd);
    after_slash = *at == '/';
  }
  marks.end = at;
  return marks;
}

/// scan_odd_target(), faster for the many targets that end within sixteen bytes and hold nothing odd.
[[nodiscard]] inline TargetMarks scan_target(const char* at, const char* end) {
#if defined(__SSE2__)
  if (end - at >= 16) {
    const byte_scan::Block block = byte_scan::load(at);
    const auto where = [block](char byte) { return byte_scan::equal(block, byte); };
    const byte_scan::Block ends = _mm_cmplt_epi8(block, _mm_set1_epi8(0x21));  // bytes over 0x7f as well
    const byte_scan::Block rare = _mm_or_si128(_mm_or_si128(where('%'), where('\\')), where(0x7f));
    const byte_scan::Block odd = _mm_or_si128(_mm_or_si128(where('?'), where('#')), rare);
    const std::uint32_t stop = byte_scan::bits(ends);
    const std::uint32_t dots = byte_scan::bits(where('.'));
    const bool dot_segment = dots != 0 && (dots & byte_scan::bits(where('/')) << 1) != 0;
    if (stop != 0 && (byte_scan::bits(odd) & below(stop)) == 0 && !dot_segment) {
      return {at + std::countr_zero(stop), nullptr, true};
    }
  }
#endif
  return scan_odd_target(at, end);
}

}  // namespace perigee::http
