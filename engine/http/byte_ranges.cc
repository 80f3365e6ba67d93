#include "http/byte_ranges.h"

#include <algorithm>
#include <optional>

#include "http/field_syntax.h"

namespace perigee::http {
namespace {

constexpr std::uint64_t kGap = 80;  // about what the head of a part takes

// One digit or more. A number too large to be told is as good as the largest.
std::optional<std::uint64_t> number(std::string_view text) {
  constexpr std::uint64_t kLargest = UINT64_MAX / 16;
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char digit : text) {
    value = std::min(kLargest, value * 10 + static_cast<std::uint64_t>(digit - '0'));
  }
  return value;
}

// One range-spec. Nothing when it is none; an empty range when it can't be satisfied.
std::optional<ByteRange> parse_one(std::string_view text, std::uint64_t size) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view ahead = text.substr(0, dash);
  const std::string_view behind = text.substr(dash + 1);
  const auto last = number(behind);
  if (ahead.empty()) {
    if (!last) {
      return std::nullopt;
    }
    const std::uint64_t length = std::min(*last, size);
    return ByteRange{size - length, length};
  }
  const auto first = number(ahead);
  if (!first || (!behind.empty() && (!last || *last < *first))) {
    return std::nullopt;
  }
  if (*first >= size) {
    return ByteRange{};
  }
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1};
}

bool touch(const ByteRange& a, const ByteRange& b) {
  return a.first <= b.first + b.size + kGap && b.first <= a.first + a.size + kGap;
}

// Puts a range where it belongs: into the first that it touches, which then may touch others.
void insert(ByteRanges& set, ByteRange range) {
  std::size_t place = set.count;
  for (std::size_t i = 0; i < set.count;) {
    const ByteRange& other = set.ranges[i];
    if (!touch(other, range)) {
      ++i;
      continue;
    }
    const std::uint64_t end = std::max(range.first + range.size, other.first + other.size);
    range.first = std::min(range.first, other.first);
    range.size = end - range.first;
    place = std::min(place, i);
    std::copy(set.ranges.begin() + static_cast<std::ptrdiff_t>(i) + 1,
              set.ranges.begin() + static_cast<std::ptrdiff_t>(set.count),
              set.ranges.begin() + static_cast<std::ptrdiff_t>(i));
    --set.count;
    place = std::min(place, set.count);
    i = 0;
  }
  std::copy_backward(set.ranges.begin() + static_cast<std::ptrdiff_t>(place),
                     set.ranges.begin() + static_cast<std::ptrdiff_t>(set.count),
                     set.ranges.begin() + static_cast<std::ptrdiff_t>(set.count) + 1);
  set.ranges[place] = range;
  ++set.count;
}

}  // namespace

ByteRanges parse_byte_ranges(std::string_view text, std::uint64_t size) {
  ByteRanges set;
  const std::size_t equals = text.find('=');
  if (size == 0 || equals == std::string_view::npos || !equal_fold(text.substr(0, equals), "bytes")) {
    return set;
  }
  std::string_view rest = text.substr(equals + 1);
  std::size_t asked = 0;
  while (!rest.empty()) {
    const std::string_view item = take_element(rest);
    if (item.empty()) {
      continue;  // section 5.6.1: empty elements of a list count for nothing
    }
    const auto range = parse_one(item, size);
    if (!range || ++asked > ByteRanges::kMost) {
      return {};
    }
    if (range->size != 0) {
      insert(set, *range);
    }
  }
  if (asked != 0) {
    set.verdict = set.count != 0 ? ByteRanges::Verdict::kSatisfiable : ByteRanges::Verdict::kUnsatisfiable;
  }
  return set;
}

}  // namespace perigee::http
