#include "profiler/error_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace perigee::profiler {
namespace {

constexpr std::size_t kMostLooked = 512;  // bytes of a line
constexpr std::size_t kMostOffset = 32;   // bytes of a pattern that the two which are compared are taken from

// How common a byte is in messages: the rarest letters are looked for, so that few places have to be compared.
std::size_t rank_of(char byte) {
  static constexpr std::string_view kCommon = " etaoinsrhldcumfpgwybvkxjqz";
  const std::size_t place = kCommon.find(byte);
  return place == std::string_view::npos ? kCommon.size() : place;
}

bool follow(std::string_view text, const std::vector<std::string>& parts) {
  return std::all_of(parts.begin(), parts.end(), [&text](const std::string& part) {
    const std::size_t place = text.find(part);
    text.remove_prefix(place == std::string_view::npos ? text.size() : place + part.size());
    return place != std::string_view::npos;
  });
}

}  // namespace

ErrorFilter::ErrorFilter(const std::vector<std::string>& patterns) {
  for (const std::string& text : patterns) {
    if (!text.empty()) {
      patterns_.emplace_back(text);
    }
  }
  for (std::size_t begin = 0; begin < patterns_.size(); begin += kGroup) {
    Group group;
    group.begin = begin;
    for (std::size_t i = 0; i < kGroup && begin + i < patterns_.size(); ++i) {
      const Pattern& pattern = patterns_[begin + i];
      group.rare[i] = pattern.rare_bytes;
      group.all |= 1U << i;
      group.always |= pattern.first.empty() ? 1U << i : 0U;
    }
    groups_.push_back(group);
  }
}

ErrorFilter::Pattern::Pattern(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t star = std::min(text.find('*', at), text.size());
    if (star > at) {
      parts.push_back(text.substr(at, star - at));
    }
    at = star + 1;
  }
  if (parts.empty()) {
    return;
  }
  first = parts.front();
  rest.assign(parts.begin() + 1, parts.end());
  const std::size_t looked = std::min(first.size(), kMostOffset);
  for (std::size_t i = 1; i < looked; ++i) {
    if (rank_of(first[i]) > rank_of(first[rare])) {
      rare = i;
    }
  }
  also = rare == 0 ? looked - 1 : 0;
  for (std::size_t i = 0; i < looked; ++i) {
    if (i != rare && rank_of(first[i]) > rank_of(first[also])) {
      also = i;
    }
  }
  reach = std::max(rare, also) + rare_bytes.size();
  rare_bytes.fill(first[rare]);
  also_bytes.fill(first[also]);
}

#if defined(__SSE2__)
// Sixteen places at once are compared by two bytes of the pattern (after W. Mula, "SIMD-friendly algorithms for
// substring searching"); what they are says whether it is worth looking closer.
inline bool ErrorFilter::Pattern::may_be_in(std::string_view line) const noexcept {
  if (line.size() < reach || reach == 0) {
    return true;
  }
  const auto load = [](const char* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); };
  const __m128i wanted = load(rare_bytes.data());
  const __m128i wanted_also = load(also_bytes.data());
  const char* const last = line.data() + (line.size() - reach);
  const auto both_at = [=, this](const char* place) {
    return _mm_and_si128(_mm_cmpeq_epi8(wanted, load(place + rare)), _mm_cmpeq_epi8(wanted_also, load(place + also)));
  };
  __m128i found = both_at(last);
  for (const char* place = line.data(); place < last; place += 16) {
    found = _mm_or_si128(found, both_at(place));
  }
  return _mm_movemask_epi8(found) != 0;
}

#else
inline bool ErrorFilter::Pattern::may_be_in(std::string_view) const noexcept {
  return true;
}
#endif

bool ErrorFilter::Pattern::matches(std::string_view line) const noexcept {
  if (first.empty()) {
    return true;
  }
  const std::size_t place = line.find(first);
  return place != std::string_view::npos && (rest.empty() || follow(line.substr(place + first.size()), rest));
}

#if defined(__SSE2__)
// candidates(), by thirty-two bytes. REQUIRES: the line has as many, and the processor AVX2.
__attribute__((target("avx2"))) unsigned ErrorFilter::Group::wide_candidates(std::string_view line) const noexcept {
  const __m256i bytes[] = {_mm256_set1_epi8(rare[0][0]), _mm256_set1_epi8(rare[1][0]), _mm256_set1_epi8(rare[2][0]),
                           _mm256_set1_epi8(rare[3][0])};
  const char* const last = line.data() + line.size() - sizeof(__m256i);
  const __m256i end = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(last));
  __m256i first = _mm256_cmpeq_epi8(end, bytes[0]);
  __m256i second = _mm256_cmpeq_epi8(end, bytes[1]);
  __m256i third = _mm256_cmpeq_epi8(end, bytes[2]);
  __m256i fourth = _mm256_cmpeq_epi8(end, bytes[3]);
  for (const char* place = line.data(); place < last; place += sizeof(__m256i)) {
    const __m256i here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place));
    first = _mm256_or_si256(first, _mm256_cmpeq_epi8(here, bytes[0]));
    second = _mm256_or_si256(second, _mm256_cmpeq_epi8(here, bytes[1]));
    third = _mm256_or_si256(third, _mm256_cmpeq_epi8(here, bytes[2]));
    fourth = _mm256_or_si256(fourth, _mm256_cmpeq_epi8(here, bytes[3]));
  }
  return (_mm256_movemask_epi8(first) != 0 ? 1U : 0U) | (_mm256_movemask_epi8(second) != 0 ? 2U : 0U) |
         (_mm256_movemask_epi8(third) != 0 ? 4U : 0U) | (_mm256_movemask_epi8(fourth) != 0 ? 8U : 0U);
}

// A bit for each of the group's patterns whose rarest byte is in the line. REQUIRES: the line has sixteen bytes.
unsigned ErrorFilter::Group::candidates(std::string_view line) const noexcept {
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  if (wide && line.size() >= sizeof(__m256i)) {
    return wide_candidates(line);
  }
  const auto load = [](const char* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); };
  const auto bit = [](__m128i found, unsigned place) { return _mm_movemask_epi8(found) != 0 ? 1U << place : 0U; };
  const __m128i bytes[] = {load(rare[0].data()), load(rare[1].data()), load(rare[2].data()), load(rare[3].data())};
  const char* const last = line.data() + line.size() - 16;
  const __m128i end = load(last);
  __m128i first = _mm_cmpeq_epi8(end, bytes[0]);
  __m128i second = _mm_cmpeq_epi8(end, bytes[1]);
  __m128i third = _mm_cmpeq_epi8(end, bytes[2]);
  __m128i fourth = _mm_cmpeq_epi8(end, bytes[3]);
  for (const char* place = line.data(); place < last; place += 16) {
    const __m128i here = load(place);
    first = _mm_or_si128(first, _mm_cmpeq_epi8(here, bytes[0]));
    second = _mm_or_si128(second, _mm_cmpeq_epi8(here, bytes[1]));
    third = _mm_or_si128(third, _mm_cmpeq_epi8(here, bytes[2]));
    fourth = _mm_or_si128(fourth, _mm_cmpeq_epi8(here, bytes[3]));
  }
  return bit(first, 0) | bit(second, 1) | bit(third, 2) | bit(fourth, 3);
}
#else
unsigned ErrorFilter::Group::candidates(std::string_view) const noexcept {
  return kAll;
}
#endif

bool ErrorFilter::matches(std::string_view message) const noexcept {
  if (patterns_.empty()) {
    return false;
  }
  const std::size_t looked = std::min(message.size(), kMostLooked);
  const void* const line_end = std::memchr(message.data(), '\n', looked);
  const std::string_view line = message.substr(
      0, line_end == nullptr ? looked : static_cast<std::size_t>(static_cast<const char*>(line_end) - message.data()));
  for (const Group& group : groups_) {
    const unsigned known = line.size() >= 16 ? group.candidates(line) | group.always : kAll;
    for (unsigned left = known & group.all; left != 0; left &= left - 1) {
      const Pattern& pattern = patterns_[group.begin + static_cast<std::size_t>(std::countr_zero(left))];
      if (pattern.may_be_in(line) && pattern.matches(line)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace perigee::profiler
