#include "http/media_type.h"

#include <cstddef>

#include "http/field_syntax.h"

namespace perigee::http {

std::string_view media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) {
    type.remove_suffix(1);
  }
  while (!type.empty() && (type.front() == ' ' || type.front() == '\t')) {
    type.remove_prefix(1);
  }
  return type;
}

bool is_json_type(std::string_view media_type) {
  constexpr std::string_view kSuffix = "+json";
  const std::size_t size = media_type.size();
  return media_type == "application/json" || equal_fold(media_type, "application/json") ||
         (size > kSuffix.size() && media_type.find('/') < size - kSuffix.size() &&
          equal_fold(media_type.substr(size - kSuffix.size()), kSuffix));
}

}  // namespace perigee::http
