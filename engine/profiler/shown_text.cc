#include "profiler/shown_text.h"

#include <algorithm>
#include <cstddef>

#include "base/escape.h"

namespace perigee::profiler {

namespace {

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  const bool is_c1 = character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  return first < 0x20 || first == 0x7f || is_c1 || character == "\u2028" || character == "\u2029";
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    shown += length == 0 || is_control(character) ? std::string_view("?") : character;
    text.remove_prefix(character.size());
  }
  return shown;
}

}  // namespace perigee::profiler
