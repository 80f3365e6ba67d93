#include "http/path_type.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "http/byte_class.h"

namespace perigee::http {
namespace {

struct TypeWords {
  std::string_view name;
  std::string_view expected;
};

constexpr std::array<TypeWords, 10> kTypes = {
    {{"string", "a text that is not empty"},
     {"integer", "an integer within 2^53"},
     {"number", "a decimal number"},
     {"boolean", "true or false"},
     {"uuid", "a UUID as 8-4-4-4-12 hexadecimal digits"},
     {"date", "a date as YYYY-MM-DD"},
     {"json", "a JSON text"},
     {"keyword", "a keyword: a letter, then letters, digits or _, all lower-case"},
     {"slug", "a slug: lower-case letters and digits, joined by single hyphens"},
     {"", "a value of the app's own type"}}};

constexpr bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
constexpr bool is_lower(char byte) {
  return byte >= 'a' && byte <= 'z';
}

/// Takes a run of digits off the front; returns its size.
std::size_t take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) {
    ++size;
  }
  text.remove_prefix(size);
  return size;
}

/// Takes one of `signs` off the front, if it is there.
void take_sign(std::string_view& text, std::string_view signs) {
  if (!text.empty() && signs.find(text[0]) != std::string_view::npos) {
    text.remove_prefix(1);
  }
}

bool parse_integer(std::string_view text, double& number) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const bool negative = !text.empty() && text[0] == '-';
  const char* at = text.data() + (negative ? 1 : 0);
  const char* const end = text.data() + text.size();
  if (at == end || end - at > 16 || (*at == '0' && text.size() > 1)) {
    return false;
  }
  std::int64_t value = 0;
  do {
    const unsigned digit = static_cast<unsigned char>(*at) - unsigned{'0'};
    if (digit > 9) {
      return false;
    }
    value = value * 10 + digit;
  } while (++at != end);
  if (value > kMost) {
    return false;
  }
  number = static_cast<double>(negative ? -value : value);
  return true;
}

/// The number grammar of JSON (RFC 8259 section 6): no padding zero, digits on both sides of the point.
bool is_decimal(std::string_view text) {
  take_sign(text, "-");
  const bool padded = text.size() > 1 && text[0] == '0' && is_digit(text[1]);
  if (padded || take_digits(text) == 0) {
    return false;
  }
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    if (take_digits(text) == 0) {
      return false;
    }
  }
  if (!text.empty() && (text[0] | 0x20) == 'e') {
    text.remove_prefix(1);
    take_sign(text, "+-");
    return take_digits(text) > 0 && text.empty();
  }
  return text.empty();
}

bool parse_number(std::string_view text, double& number) {
  double value = 0;
  if (!is_decimal(text)) {
    return false;
  }
  const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || !std::isfinite(value)) {
    return false;
  }
  number = value;
  return true;
}

bool parse_boolean(std::string_view text, double& number) {
  if (text != "true" && text != "false") {
    return false;
  }
  number = text == "true" ? 1 : 0;
  return true;
}

/// Whether `text` has the shape of `mask`: "d" a decimal digit, anything else itself.
bool has_shape(std::string_view text, std::string_view mask) {
  if (text.size() != mask.size()) {
    return false;
  }
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const bool fits = mask[i] == 'd' ? is_digit(text[i]) : text[i] == mask[i];
    if (!fits) {
      return false;
    }
  }
  return true;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') {
    return false;
  }
  int digits = 0;
  for (const char byte : text) {
    digits += is_byte(byte, kHexByte) ? 1 : 0;
  }
  return digits == 32;
}

int two_digits(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool is_date(std::string_view text) {
  constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!has_shape(text, "dddd-dd-dd")) {
    return false;
  }
  const int year = two_digits(text, 0) * 100 + two_digits(text, 2);
  const int month = two_digits(text, 5);
  const int day = two_digits(text, 8);
  if (month < 1 || month > 12 || day < 1) {
    return false;
  }
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<std::size_t>(month)] + (month == 2 && leap ? 1 : 0);
}

bool is_keyword(std::string_view text) {
  for (const char byte : text) {
    if (!is_lower(byte) && !is_digit(byte) && byte != '_') {
      return false;
    }
  }
  return !text.empty() && is_lower(text[0]);
}

bool is_slug(std::string_view text) {
  bool after_hyphen = true;
  for (const char byte : text) {
    const bool letter = is_lower(byte) || is_digit(byte);
    if (!letter && (byte != '-' || after_hyphen)) {
      return false;
    }
    after_hyphen = !letter;
  }
  return !after_hyphen;
}

}  // namespace

std::optional<PathType> path_type_of(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (!name.empty() && kTypes[i].name == name) {
      return static_cast<PathType>(i);
    }
  }
  return std::nullopt;
}

std::string_view path_type_name(PathType type) {
  return kTypes[static_cast<std::size_t>(type)].name;
}

std::string_view path_type_expected(PathType type) {
  return kTypes[static_cast<std::size_t>(type)].expected;
}

bool parse_path_value(PathType type, std::string_view text, double& number) {
  switch (type) {
    case PathType::kString:
      return !text.empty();
    case PathType::kInteger:
      return parse_integer(text, number);
    case PathType::kNumber:
      return parse_number(text, number);
    case PathType::kBoolean:
      return parse_boolean(text, number);
    case PathType::kUuid:
      return is_uuid(text);
    case PathType::kDate:
      return is_date(text);
    case PathType::kJson:
    case PathType::kCustom:
      return true;
    case PathType::kKeyword:
      return is_keyword(text);
    case PathType::kSlug:
      return is_slug(text);
  }
  return false;
}

}  // namespace perigee::http
