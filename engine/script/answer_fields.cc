#include "script/answer_fields.h"

#include <cstring>
#include <string>

#include "http/field_syntax.h"

namespace perigee::script {
namespace {

// Length and first letter tell nearly all names apart, so that most cost no comparison.
bool is_reserved(std::string_view name) {
  using http::equal_fold;
  constexpr std::string_view kFirstLetters = "tdsuckTDSUCK";
  if (kFirstLetters.find(name.front()) == std::string_view::npos) {
    return false;
  }
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

// Copies a text that is mostly short, eight bytes at a time and the last eight once more, without a call.
char* copy_short(char* to, std::string_view text) {
  const char* from = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
      std::memcpy(to + at, from + at, 8);
    }
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else {
    for (std::size_t at = 0; at < size; ++at) {
      to[at] = from[at];
    }
  }
  return to + size;
}

// Most lines are short: they are put together first and appended once.
void append_line(std::string& fields, std::string_view name, std::string_view value) {
  char line[256];
  const std::size_t size = name.size() + value.size() + 4;
  if (size > sizeof line) {
    fields.append(name).append(": ").append(value).append("\r\n");
    return;
  }
  char* at = copy_short(line, name);
  std::memcpy(at, ": ", 2);
  at = copy_short(at + 2, value);
  std::memcpy(at, "\r\n", 2);
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
