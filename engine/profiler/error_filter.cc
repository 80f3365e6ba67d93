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
  reach = std::max(rare, also);
  rare_bytes.fill(first[rare]);
  also_bytes.fill(first[also]);
}

#if defined(__SSE2__)
// may_be_in(), thirty-two places at once. REQUIRES: so many are left, and the processor has AVX2.
__attribute__((target("avx2"))) bool ErrorFilter::Pattern::wide_may_be_in(std::string_view text) const noexcept {
  const __m256i wanted = _mm256_set1_epi8(rare_bytes[0]);
  const __m256i wanted_also = _mm256_set1_epi8(also_bytes[0]);
  const char* place = text.data();
  const char* const last = place + (text.size() - reach - sizeof(__m256i));
  __m256i found = _mm256_setzero_si256();
  for (;; place = std::min(place + sizeof(__m256i), last)) {
    const __m256i here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place + rare));
    const __m256i there = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place + also));
    found = _mm256_or_si256(found,
                            _mm256_and_si256(_mm256_cmpeq_epi8(wanted, here), _mm256_cmpeq_epi8(wanted_also, there)));
    if (place == last) {
      return _mm256_movemask_epi8(found) != 0;
    }
  }
}

// Sixteen places at once are compared by two bytes of the pattern (after W. Mula, "SIMD-friendly algorithms for
// substring searching"); what they are says whether it is worth looking closer.
inline bool ErrorFilter::Pattern::may_be_in(std::string_view text) const noexcept {
  if (__builtin_cpu_supports("avx2") != 0 && !first.empty() && text.size() >= reach + sizeof(__m256i)) {
    return wide_may_be_in(text);
  }
  if (text.size() < reach + sizeof(__m128i) || first.empty()) {
    return true;
  }
  const auto load = [](const char* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); };
  const __m128i wanted = load(rare_bytes.data());
  const __m128i wanted_also = load(also_bytes.data());
  const char* const last = text.data() + (text.size() - reach - sizeof(__m128i));
  const auto both_at = [=, this](const char* place) {
    return _mm_and_si128(_mm_cmpeq_epi8(wanted, load(place + rare)), _mm_cmpeq_epi8(wanted_also, load(place + also)));
  };
  __m128i found = both_at(last);
  for (const char* place = text.data(); place < last; place += 16) {
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
// candidates(), by thirty-two bytes. REQUIRES: the text has as many, and the processor AVX2.
__attribute__((target("avx2"))) ErrorFilter::Found ErrorFilter::Group::wide_candidates(
    std::string_view text) const noexcept {
  const __m256i bytes[] = {_mm256_set1_epi8(rare[0][0]), _mm256_set1_epi8(rare[1][0]), _mm256_set1_epi8(rare[2][0]),
                           _mm256_set1_epi8(rare[3][0])};
  const __m256i line_end = _mm256_set1_epi8('\n');
  const char* place = text.data();
  const char* const last = place + text.size() - sizeof(__m256i);
  __m256i here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place));
  __m256i first = _mm256_cmpeq_epi8(here, bytes[0]);
  __m256i second = _mm256_cmpeq_epi8(here, bytes[1]);
  __m256i third = _mm256_cmpeq_epi8(here, bytes[2]);
  __m256i fourth = _mm256_cmpeq_epi8(here, bytes[3]);
  while (place < last && _mm256_movemask_epi8(_mm256_cmpeq_epi8(here, line_end)) == 0) {
    place = std::min(place + sizeof(__m256i), last);
    here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place));
    first = _mm256_or_si256(first, _mm256_cmpeq_epi8(here, bytes[0]));
    second = _mm256_or_si256(second, _mm256_cmpeq_epi8(here, bytes[1]));
    third = _mm256_or_si256(third, _mm256_cmpeq_epi8(here, bytes[2]));
    fourth = _mm256_or_si256(fourth, _mm256_cmpeq_epi8(here, bytes[3]));
  }
  const auto bit = [](__m256i found, unsigned at) __attribute__((target("avx2"))) {
    return _mm256_movemask_epi8(found) != 0 ? 1U << at : 0U;
  };
  return {bit(first, 0) | bit(second, 1) | bit(third, 2) | bit(fourth, 3),
          static_cast<std::size_t>(place - text.data()) + sizeof(__m256i)};
}

// The group's patterns whose rarest byte is in the text's first line, or close behind it. REQUIRES: the text has
// sixteen bytes.
ErrorFilter::Found ErrorFilter::Group::candidates(std::string_view text) const noexcept {
  if (__builtin_cpu_supports("avx2") != 0 && text.size() >= sizeof(__m256i)) {
    return wide_candidates(text);
  }
  const auto load = [](const char* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); };
  const auto bit = [](__m128i found, unsigned place) { return _mm_movemask_epi8(found) != 0 ? 1U << place : 0U; };
  const __m128i bytes[] = {load(rare[0].data()), load(rare[1].data()), load(rare[2].data()), load(rare[3].data())};
  const __m128i line_end = _mm_set1_epi8('\n');
  const char* place = text.data();
  const char* const last = place + text.size() - sizeof(__m128i);
  __m128i here = load(place);
  __m128i first = _mm_cmpeq_epi8(here, bytes[0]);
  __m128i second = _mm_cmpeq_epi8(here, bytes[1]);
  __m128i third = _mm_cmpeq_epi8(here, bytes[2]);
  __m128i fourth = _mm_cmpeq_epi8(here, bytes[3]);
  while (place < last && _mm_movemask_epi8(_mm_cmpeq_epi8(here, line_end)) == 0) {
    place = std::min(place + sizeof(__m128i), last);
    here = load(place);
    first = _mm_or_si128(first, _mm_cmpeq_epi8(here, bytes[0]));
    second = _mm_or_si128(second, _mm_cmpeq_epi8(here, bytes[1]));
    third = _mm_or_si128(third, _mm_cmpeq_epi8(here, bytes[2]));
    fourth = _mm_or_si128(fourth, _mm_cmpeq_epi8(here, bytes[3]));
  }
  return {bit(first, 0) | bit(second, 1) | bit(third, 2) | bit(fourth, 3),
          static_cast<std::size_t>(place - text.data()) + sizeof(__m128i)};
}
#else
ErrorFilter::Found ErrorFilter::Group::candidates(std::string_view text) const noexcept {
  return {kAll, text.size()};
}
#endif

bool ErrorFilter::matches(std::string_view message) const noexcept {
  const std::string_view text = message.substr(0, kMostLooked);
  for (const Group& group : groups_) {
    const Found found = text.size() >= kLeast ? group.candidates(text) : Found{kAll, text.size()};
    for (unsigned left = (found.patterns | group.always) & group.all; left != 0; left &= left - 1) {
      const Pattern& pattern = patterns_[group.begin + static_cast<std::size_t>(std::countr_zero(left))];
      if (pattern.may_be_in(text.substr(0, found.looked)) && pattern.matches(text.substr(0, text.find('\n')))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace perigee::profiler
