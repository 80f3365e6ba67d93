#include "http/field_syntax.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "http/byte_class.h"
#include "http/text_words.h"

namespace perigee::http {
namespace {

constexpr char to_lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}

/// Eight bytes in lower case. An ASCII byte carries into its highest bit from 'A' on by the first sum, behind 'Z' by
/// the second.
std::uint64_t lower_word(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  const std::uint64_t low = word & ~kHighs;
  const std::uint64_t upper = ~word & ((low + (0x80 - 'A') * kOnes) ^ (low + (0x7f - 'Z') * kOnes)) & kHighs;
  return word | upper >> 2;
}

bool equal_words(const char* a, const char* b) {
  const auto first = text_words::load<std::uint64_t>(a);
  const auto second = text_words::load<std::uint64_t>(b);
  return first == second || lower_word(first) == lower_word(second);
}

/// Takes a number from 0 to 255, without padding zeros, off the front of `text`.
bool take_octet(std::string_view& text) {
  std::size_t size = 0;
  int value = 0;
  while (size < text.size() && size < 3 && is_byte(text[size], kDigitByte)) {
    value = value * 10 + (text[size++] - '0');
  }
  const bool padded = size > 1 && text[0] == '0';
  text.remove_prefix(size);
  return size > 0 && !padded && value <= 255;
}

bool is_ipv4(std::string_view text) {
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (text.empty() || text[0] != '.') {
        return false;
      }
      text.remove_prefix(1);
    }
    if (!take_octet(text)) {
      return false;
    }
  }
  return text.empty();
}

std::size_t hex_run(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && is_byte(text[size], kHexByte)) {
    ++size;
  }
  return size;
}

/// RFC 3986 section 3.2.2, IPv6address: eight groups, or fewer around one "::", the last two perhaps as IPv4.
bool is_ipv6(std::string_view text) {
  bool gap = text.substr(0, 2) == "::";
  text.remove_prefix(gap ? 2 : 0);
  int groups = 0;
  while (!text.empty()) {
    const std::size_t size = hex_run(text);
    if (size < text.size() && text[size] == '.') {
      return is_ipv4(text) && (gap ? groups <= 5 : groups == 6);
    }
    if (size == 0 || size > 4) {
      return false;
    }
    ++groups;
    text.remove_prefix(size);
    if (text.empty()) {
      break;
    }
    if (text[0] != ':' || text.size() == 1 || (text[1] == ':' && gap)) {
      return false;
    }
    gap = gap || text[1] == ':';
    text.remove_prefix(text[1] == ':' ? 2 : 1);
  }
  return gap ? groups <= 7 : groups == 8;
}

/// The size of the registered name (or IPv4 address) at the front of `text`; 0 when there is none.
std::size_t reg_name_run(std::string_view text) {
  std::size_t size = 0;
  for (; size < text.size(); ++size) {
    if (is_byte(text[size], kRegNameByte)) {
      continue;
    }
    if (text[size] != '%' || hex_run(text.substr(size + 1, 2)) < 2) {
      break;
    }
    size += 2;
  }
  return size;
}

/// The size of the bracketed address at the front of `text`; 0 when there is none.
std::size_t ip_literal_run(std::string_view text) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) {
    return 0;
  }
  return close + 1;
}

/// What follows a host: nothing, or ":" and a port up to 65535, which may be empty (RFC 3986 section 3.2.3).
bool is_port_part(std::string_view text) {
  if (text.empty()) {
    return true;
  }
  if (text[0] != ':' || text.size() > 6) {
    return false;
  }
  int port = 0;
  for (const char digit : text.substr(1)) {
    if (!is_byte(digit, kDigitByte)) {
      return false;
    }
    port = port * 10 + (digit - '0');
  }
  return port <= 65535;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && all_bytes(text, kTokenByte);
}

std::string_view take_element(std::string_view& list) {
  const std::string_view element = list.substr(0, list.find(','));
  list.remove_prefix(std::min(element.size() + 1, list.size()));
  return trimmed(element);
}

bool is_host(std::string_view text) {
  if (text.empty()) {
    return false;
  }
  const std::size_t size = text[0] == '[' ? ip_literal_run(text) : reg_name_run(text);
  return size > 0 && is_port_part(text.substr(size));
}

bool equal_fold(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  std::size_t at = 0;
  for (; at + 8 <= a.size(); at += 8) {
    if (!equal_words(a.data() + at, b.data() + at)) {
      return false;
    }
  }
  if (at != 0) {
    return at == a.size() || equal_words(a.data() + a.size() - 8, b.data() + b.size() - 8);
  }
  for (; at < a.size(); ++at) {
    if (to_lower(a[at]) != to_lower(b[at])) {
      return false;
    }
  }
  return true;
}

}  // namespace perigee::http
