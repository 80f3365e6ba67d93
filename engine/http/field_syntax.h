#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/byte_class.h"
#include "http/text_words.h"

namespace perigee::http {

/// RFC 9110 section 5.6.2: one or more tchar.
[[nodiscard]] bool is_token(std::string_view text);

/// RFC 9110 section 5.5: visible characters, SP, HTAB and obs-text; nothing else, so no CR, LF or NUL. In line and by
/// words, as most are short and right.
[[nodiscard, gnu::always_inline]] inline bool is_field_value(std::string_view text) {
  using text_words::load;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  // Sets the highest bit of each byte that is below a space, as HTAB is, or DEL; of others at most where they stand
  // beside such or beside 0xff.
  const auto suspects = [](std::uint64_t word) { return ((word - 0x20 * kOnes) | (word + kOnes)) & ~word; };
  std::uint64_t found = 0;
  if (text.size() >= 8) {
    const char* const last = text.data() + text.size() - 8;
    found = suspects(load<std::uint64_t>(last));
    for (const char* at = text.data(); at < last; at += 8) {
      found |= suspects(load<std::uint64_t>(at));
    }
  } else if (!text.empty()) {
    found = suspects(text_words::word_of(text));
  }
  return (found & 0x80 * kOnes) == 0 || all_bytes(text, kValueByte);
}

/// A text without the optional white space around it (RFC 9110 section 5.6.3).
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  while (begin != end && is_blank(*begin)) {
    ++begin;
  }
  while (begin != end && is_blank(end[-1])) {
    --end;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// Takes the first element off a list with commas, which may be empty (RFC 9110 section 5.6.1). REQUIRES:
/// !list.empty().
[[nodiscard]] std::string_view take_element(std::string_view& list);

/// RFC 9110 section 7.2 with RFC 3986 section 3.2: reg-name, IPv4 or [IPv6] and an optional port; no userinfo.
[[nodiscard]] bool is_host(std::string_view text);

/// Whether two ASCII texts are equal but for case.
[[nodiscard]] bool equal_fold(std::string_view a, std::string_view b);

}  // namespace perigee::http
