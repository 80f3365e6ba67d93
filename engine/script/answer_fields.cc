#include "script/answer_fields.h"

#include <cstring>
#include <string>

#include "http/field_syntax.h"

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

// Copies a text that is mostly short, eight bytes at a time and the last eight once more, without a call.
inline char* copy_short(char* to, std::string_view text) {
  const char* from = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
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

}  // namespace

FieldVerdict FieldLines::add(std::string_view name, std::string_view value) {
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
    answer_.type_text.assign(value);
    answer_.content_type = answer_.type_text;
    return FieldVerdict::kAdded;
  }
  const std::size_t size = name.size() + value.size() + 4;
  char* at = copy_short(answer_.fields.reserve(size), name);
  std::memcpy(at, ": ", 2);
  at = copy_short(at + 2, value);
  std::memcpy(at, "\r\n", 2);
  answer_.fields.commit(size);
  return FieldVerdict::kAdded;
}

}  // namespace perigee::script
