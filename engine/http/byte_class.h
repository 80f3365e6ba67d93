#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace perigee::http {

/// What a byte may be part of; one bit a class, so that a table look-up answers for all.
enum ByteClass : std::uint8_t {
  kTokenByte = 1,        ///< tchar (RFC 9110 section 5.6.2)
  kValueByte = 2,        ///< within a field value (RFC 9110 section 5.5): visible, SP, HTAB, obs-text
  kTargetByte = 4,       ///< within a request target: visible ASCII but "#"
  kRegNameByte = 8,      ///< unreserved and sub-delims (RFC 3986 section 3.2.2)
  kUnreservedByte = 16,  ///< RFC 3986 section 2.3
  kHexByte = 32,
  kDigitByte = 64,
  kCookieByte = 128  ///< cookie-octet (RFC 6265 section 4.1.1)
};

namespace byte_class {

constexpr bool holds(std::string_view set, char byte) {
  return set.find(byte) != std::string_view::npos;
}

constexpr std::uint8_t classes_of(int code) {
  const char byte = static_cast<char>(code);
  const bool digit = code >= '0' && code <= '9';
  const bool letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
  const bool visible = code > 0x20 && code < 0x7f;
  const bool unreserved = digit || letter || (visible && holds("-._~", byte));
  int classes = 0;
  classes |= digit || letter || (visible && holds("!#$%&'*+-.^_`|~", byte)) ? kTokenByte : 0;
  classes |= visible || code == ' ' || code == '\t' || code >= 0x80 ? kValueByte : 0;
  classes |= visible && code != '#' ? kTargetByte : 0;
  classes |= unreserved || (visible && holds("!$&'()*+,;=", byte)) ? kRegNameByte : 0;
  classes |= unreserved ? kUnreservedByte : 0;
  classes |= digit || (code >= 'a' && code <= 'f') || (code >= 'A' && code <= 'F') ? kHexByte : 0;
  classes |= digit ? kDigitByte : 0;
  classes |= visible && !holds("\",;\\", byte) ? kCookieByte : 0;
  return static_cast<std::uint8_t>(classes);
}

constexpr std::array<std::uint8_t, 256> table() {
  std::array<std::uint8_t, 256> classes{};
  for (int code = 0; code < 256; ++code) {
    classes[static_cast<std::size_t>(code)] = classes_of(code);
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kTable = table();

}  // namespace byte_class

[[nodiscard]] constexpr bool is_byte(char byte, ByteClass wanted) {
  return (byte_class::kTable[static_cast<unsigned char>(byte)] & wanted) != 0;
}

/// Whether every byte of `text` is of the class; true of an empty text.
[[nodiscard]] constexpr bool all_bytes(std::string_view text, ByteClass wanted) {
  unsigned common = wanted;  // no branch a byte: texts are short and nearly always right
  for (const char byte : text) {
    common &= byte_class::kTable[static_cast<unsigned char>(byte)];
  }
  return common != 0;
}

/// What optional white space is made of (RFC 9110 section 5.6.3).
[[nodiscard]] constexpr bool is_blank(char byte) {
  return byte == ' ' || byte == '\t';
}

/// The value of a hexadecimal digit. REQUIRES: is_byte(digit, kHexByte).
[[nodiscard]] constexpr int hex_value(char digit) {
  return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

}  // namespace perigee::http
