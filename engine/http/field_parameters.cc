#include "http/field_parameters.h"

#include <algorithm>

#include "http/byte_class.h"
#include "http/field_syntax.h"

namespace perigee::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte; });
  return out;
}

/// Walks a value from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) {
      rest_.remove_prefix(1);
    }
  }

  [[nodiscard]] bool take(char byte) {
    if (rest_.empty() || rest_[0] != byte) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  /// A run of token bytes; "" where there is none.
  std::string_view token() {
    std::size_t size = 0;
    while (size < rest_.size() && is_byte(rest_[size], kTokenByte)) {
      ++size;
    }
    const std::string_view found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return found;
  }

  /// What stands between quotes, the first of which was taken.
  [[nodiscard]] std::optional<std::string> quoted() {
    std::string out;
    while (!rest_.empty()) {
      char byte = rest_[0];
      rest_.remove_prefix(1);
      if (byte == '"') {
        return out;
      }
      if (byte == '\\' && !rest_.empty() && (rest_[0] == '"' || rest_[0] == '\\')) {
        byte = rest_[0];
        rest_.remove_prefix(1);
      }
      if (!is_byte(byte, kValueByte)) {
        return std::nullopt;
      }
      out += byte;
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

Result<std::pair<std::string, std::string>> read_parameter(Reader& reader) {
  std::string name = lower(reader.token());
  if (name.empty() || !reader.take('=')) {
    return fail("a parameter is not of the form name=value");
  }
  if (reader.take('"')) {
    auto value = reader.quoted();
    if (!value) {
      return fail("a quoted parameter does not end or holds a control character");
    }
    return std::pair(std::move(name), std::move(*value));
  }
  const std::string_view value = reader.token();
  if (value.empty()) {
    return fail("a parameter has no value");
  }
  return std::pair(std::move(name), std::string(value));
}

/// ISO-8859-1 as UTF-8.
std::string widened(std::string_view latin) {
  std::string out;
  for (const char byte : latin) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      out += byte;
    } else {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return out;
}

}  // namespace

const std::string* FieldParameters::find(std::string_view name) const {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [name](const auto& each) { return each.first == name; });
  return found == parameters.end() ? nullptr : &found->second;
}

Result<FieldParameters> parse_field_parameters(std::string_view text) {
  Reader reader(text);
  FieldParameters found;
  reader.skip_space();
  found.value = lower(reader.token());
  if (!found.value.empty() && reader.take('/')) {
    const std::string_view subtype = reader.token();
    found.value = subtype.empty() ? "" : found.value + "/" + lower(subtype);
  }
  if (found.value.empty()) {
    return fail("the value does not begin with a name");
  }
  for (reader.skip_space(); !reader.at_end(); reader.skip_space()) {
    if (!reader.take(';')) {
      return fail("something stands between the parameters");
    }
    reader.skip_space();
    if (reader.at_end()) {
      break;
    }
    auto parameter = TRY(read_parameter(reader));
    if (found.find(parameter.first) != nullptr) {
      return fail("a parameter is given twice");
    }
    found.parameters.push_back(std::move(parameter));
  }
  return found;
}

std::optional<std::string> decode_extended_value(std::string_view text) {
  const std::size_t first = text.find('\'');
  const std::size_t second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view charset = text.substr(0, first);
  const bool latin = equal_fold(charset, "iso-8859-1");
  if (!latin && !equal_fold(charset, "utf-8")) {
    return std::nullopt;
  }
  std::string out;
  for (std::size_t i = second + 1; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !is_byte(text[i + 1], kHexByte) || !is_byte(text[i + 2], kHexByte)) {
      return std::nullopt;
    }
    out += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
    i += 2;
  }
  return latin ? widened(out) : out;
}

std::string last_path_component(std::string_view name) {
  const std::size_t slash = name.find_last_of("/\\");
  const std::string_view last = slash == std::string_view::npos ? name : name.substr(slash + 1);
  if (last == "." || last == ".." || last.find('\0') != std::string_view::npos) {
    return "";
  }
  return std::string(last);
}

}  // namespace perigee::http
