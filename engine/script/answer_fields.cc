#include "script/answer_fields.h"

#include <cstring>
#include <string>

#include "http/field_syntax.h"
#include "http/text_words.h"

namespace perigee::script {
namespace {

// One of 32 bits for a letter in either case.
constexpr std::uint32_t bit_of(char letter) {
  return std::uint32_t{1} << (static_cast<unsigned char>(letter) & 31);
}

// Length and first letter tell nearly all names apart, so that most cost no comparison.
bool is_reserved(std::string_view name) {
  using http::equal_fold;
  constexpr std::uint32_t kFirstLetters =
      bit_of('t') | bit_of('d') | bit_of('s') | bit_of('u') | bit_of('c') | bit_of('k');
  if ((kFirstLetters & bit_of(name.front())) == 0) {
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

// False: the value is bad.
[[gnu::always_inline]] inline bool add_line(Answer& answer, std::string_view name, std::string_view value) {
  if (!http::is_field_value(value)) {
    return false;
  }
  const std::size_t size = name.size() + value.size() + 4;
  char* at = http::text_words::copy(answer.fields.reserve(size), name);
  std::memcpy(at, ": ", 2);
  at = http::text_words::copy(at + 2, value);
  std::memcpy(at, "\r\n", 2);
  answer.fields.commit(size);
  return true;
}

// Likewise.
[[gnu::noinline]] bool take_content_type(Answer& answer, std::string_view value) {
  if (!http::is_field_value(value)) {
    return false;
  }
  answer.type_text.assign(value);
  answer.content_type = answer.type_text;
  return true;
}

}  // namespace

NameUse name_use(std::string_view name) {
  if (!http::is_token(name)) {
    return NameUse::kBad;
  }
  if (name.size() == 12 && http::equal_fold(name, "content-type")) {
    return NameUse::kContentType;
  }
  return is_reserved(name) ? NameUse::kReserved : NameUse::kLine;
}

FieldVerdict add_field(Answer& answer, std::string_view name, std::string_view value) {
  switch (name_use(name)) {
    case NameUse::kLine:
      return add_line(answer, name, value) ? FieldVerdict::kAdded : FieldVerdict::kBadValue;
    case NameUse::kContentType:
      return take_content_type(answer, value) ? FieldVerdict::kAdded : FieldVerdict::kBadValue;
    case NameUse::kBad:
      return FieldVerdict::kBadName;
    case NameUse::kReserved:
      break;
  }
  return FieldVerdict::kReserved;
}

bool add_known_fields(Answer& answer, const Slice* names, const Slice* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view value = values[i].view();
    if (values[i].data != nullptr &&
        !(names[i].size != 0 ? add_line(answer, names[i].view(), value) : take_content_type(answer, value))) {
      return false;
    }
  }
  return true;
}

}  // namespace perigee::script
