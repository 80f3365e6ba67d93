#include "script/answer_fields.h"

#include <cstring>
#include <string>

#include "http/field_syntax.h"

namespace perigee::script {
namespace {

// The lengths tell nearly all names apart, so that most cost no comparison.
bool is_reserved(std::string_view name) {
  using http::equal_fold;
  switch (name.size()) {
    case 2:
      return equal_fold(name, "te");
    case 4:
      return equal_fold(name, "date");
    case 6:
      return equal_fold(name, "server");
    case 7:
      return equal_fold(name, "upgrade") || equal_fold(name, "trailer");
    case 10:
      return equal_fold(name, "connection") || equal_fold(name, "keep-alive");
    case 14:
      return equal_fold(name, "content-length");
    case 17:
      return equal_fold(name, "transfer-encoding");
    default:
      return false;
  }
}

// Most lines are short: they are put together first and appended once.
void append_line(std::string& fields, std::string_view name, std::string_view value) {
  char line[256];
  const std::size_t size = name.size() + value.size() + 4;
  if (size > sizeof line) {
    fields.append(name).append(": ").append(value).append("\r\n");
    return;
  }
  std::memcpy(line, name.data(), name.size());
  std::memcpy(line + name.size(), ": ", 2);
  std::memcpy(line + name.size() + 2, value.data(), value.size());
  std::memcpy(line + size - 2, "\r\n", 2);
  fields.append(line, size);
}

}  // namespace

FieldVerdict add_field(Answer& answer, std::string_view name, std::string_view value) {
  if (!http::is_token(name)) {
    return FieldVerdict::kBadName;
  }
  if (is_reserved(name)) {
    return FieldVerdict::kReserved;
  }
  if (!http::is_field_value(value)) {
    return FieldVerdict::kBadValue;
  }
  if (name.size() == 12 && http::equal_fold(name, "content-type")) {
    answer.type_text.assign(value);
    answer.content_type = answer.type_text;
  } else {
    append_line(answer.fields, name, value);
  }
  return FieldVerdict::kAdded;
}

}  // namespace perigee::script
