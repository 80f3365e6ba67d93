#include "http/content_coding.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "http/field_syntax.h"

namespace perigee::http {
namespace {

constexpr std::int32_t kWhole = 1000;

// RFC 9110 section 12.4.2: qvalue, in thousandths.
std::optional<std::int32_t> quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')) {
    return std::nullopt;
  }
  std::int32_t value = (text[0] - '0') * kWhole;
  std::int32_t place = kWhole / 10;
  for (const char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    value += (digit - '0') * place;
    place /= 10;
  }
  return value <= kWhole ? std::optional(value) : std::nullopt;
}

// The quality behind an element's first semicolon.
std::optional<std::int32_t> weight(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || (text[0] != 'q' && text[0] != 'Q') || text[1] != '=') {
    return std::nullopt;
  }
  return quality(text.substr(2));
}

}  // namespace

CodingWishes parse_accept_encoding(std::string_view text) {
  std::optional<std::int32_t> brotli;
  std::optional<std::int32_t> gzip;
  std::optional<std::int32_t> identity;
  std::optional<std::int32_t> others;
  while (!text.empty()) {
    const std::string_view item = take_element(text);
    const std::size_t semicolon = item.find(';');
    const std::string_view coding = trimmed(item.substr(0, semicolon));
    const auto value = semicolon == std::string_view::npos ? kWhole : weight(item.substr(semicolon + 1));
    if (!value) {
      continue;
    }
    if (equal_fold(coding, "br")) {
      brotli = value;
    } else if (equal_fold(coding, "gzip") || equal_fold(coding, "x-gzip")) {
      gzip = value;
    } else if (equal_fold(coding, "identity")) {
      identity = value;
    } else if (coding == "*") {
      others = value;
    }
  }
  const std::int32_t rest = others.value_or(0);
  return {brotli.value_or(rest), gzip.value_or(rest), identity.value_or(others.value_or(1))};
}

std::optional<Coding> choose_coding(const CodingWishes& wishes, bool gzip, bool brotli) {
  const std::int32_t least = std::max(wishes.identity, 1);
  const std::int32_t gzip_wish = gzip ? wishes.gzip : 0;
  const std::int32_t brotli_wish = brotli ? wishes.brotli : 0;
  if (brotli_wish >= least && brotli_wish >= gzip_wish) {
    return Coding::kBrotli;
  }
  return gzip_wish >= least ? std::optional(Coding::kGzip) : std::nullopt;
}

}  // namespace perigee::http
