#include "http/html_escape.h"

#include <array>
#include <cstring>

namespace perigee::http {
namespace {

constexpr std::string_view entity_of(char byte) {
  switch (byte) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

constexpr auto kSpecial = [] {
  std::array<bool, 256> special{};
  for (std::size_t byte = 0; byte < special.size(); ++byte) {
    special[byte] = !entity_of(static_cast<char>(byte)).empty();
  }
  return special;
}();

bool is_special(char byte) {
  return kSpecial[static_cast<unsigned char>(byte)];
}

}  // namespace

std::size_t escape_html(std::string_view text, char* out) noexcept {
  std::size_t plain = 0;
  while (plain < text.size() && !is_special(text[plain])) {
    ++plain;
  }
  if (plain == text.size()) {
    return 0;
  }
  std::memcpy(out, text.data(), plain);
  char* at = out + plain;
  for (const char byte : text.substr(plain)) {
    if (!is_special(byte)) {
      *at++ = byte;
      continue;
    }
    const std::string_view entity = entity_of(byte);
    std::memcpy(at, entity.data(), entity.size());
    at += entity.size();
  }
  return static_cast<std::size_t>(at - out);
}

}  // namespace perigee::http
