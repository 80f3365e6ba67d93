#include "http/request_head.h"

#include "http/field_syntax.h"
#include "http/known_names.h"

namespace perigee::http {

std::uint16_t RequestHead::find(std::string_view name, std::uint16_t from) const {
  for (std::uint16_t index = from; index < field_count; ++index) {
    const Span span = fields[index].name;
    if (span.size == name.size() && equal_fold(text(span), name)) {
      return index;
    }
  }
  return kAbsent;
}

KnownField known_field_of(std::string_view name) {
  return known_names::find(name);
}

}  // namespace perigee::http
