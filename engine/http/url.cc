#include "http/url.h"

#include <array>
#include <cstddef>

#include "http/byte_class.h"
#include "http/text_words.h"

namespace perigee::http {
namespace {

/// Whether `text` begins with a percent-encoded byte.
bool is_encoded(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && is_byte(text[1], kHexByte) && is_byte(text[2], kHexByte);
}

/// REQUIRES: is_encoded(text).
char decoded(std::string_view text) {
  return static_cast<char>(hex_value(text[1]) << 4 | hex_value(text[2]));
}

/// Appends `segment` with its percent-encodings taken off. Returns what is wrong with it, null when nothing is.
const char* append_decoded(std::string& out, std::string_view segment) {
  for (std::size_t i = 0; i < segment.size(); ++i) {
    char byte = segment[i];
    if (byte == '%') {
      if (!is_encoded(segment.substr(i))) {
        return "the path has a malformed percent-encoding";
      }
      byte = decoded(segment.substr(i));
      i += 2;
      if (byte == '/') {
        return "the path has an encoded slash";
      }
    }
    if (byte == '\\' || byte == '\0') {
      return "the path has a backslash or a NUL";
    }
    out += byte;
  }
  return nullptr;
}

/// Resolves the segment that begins behind the slash at `mark`, were it "." or "..". `last` ones leave a slash behind.
/// Returns what is wrong, null when nothing is.
const char* resolve_dots(std::string& out, std::size_t mark, bool last) {
  const std::string_view segment = std::string_view(out).substr(mark + 1);
  const bool parent = segment == "..";
  if (!parent && segment != ".") {
    return nullptr;
  }
  out.resize(mark);
  if (parent) {
    const std::size_t above = out.rfind('/');
    if (above == std::string::npos) {
      return "the path climbs above the root";
    }
    out.resize(above);
  }
  if (last) {
    out += '/';
  }
  return nullptr;
}

}  // namespace

Result<std::string> decode_path(std::string_view raw) {
  if (raw.empty()) {
    return std::string("/");
  }
  if (raw[0] != '/') {
    return fail("the path does not begin with a slash");
  }
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t slash = raw.find('/', at + 1);
    const std::size_t end = slash == std::string_view::npos ? raw.size() : slash;
    const std::size_t mark = out.size();
    out += '/';
    const char* wrong = append_decoded(out, raw.substr(at + 1, end - at - 1));
    wrong = wrong != nullptr ? wrong : resolve_dots(out, mark, end == raw.size());
    if (wrong != nullptr) {
      return fail(wrong);
    }
    at = end;
  }
  return out;
}

/// The bytes that mean something in a form: "&", "=", "+" and "%".
static constexpr auto kFormMarks = [] {
  std::array<bool, 256> marks{};
  for (const char mark : {'&', '=', '+', '%'}) {
    marks[static_cast<unsigned char>(mark)] = true;
  }
  return marks;
}();

static bool is_form_mark(char byte) {
  return kFormMarks[static_cast<unsigned char>(byte)];
}

// One pass over the pair: where it ends, where its name ends, and whether anything in it is encoded.
bool FormPairs::next() {
  while (!rest_.empty()) {
    const char* const begin = rest_.data();
    const char* const end = begin + rest_.size();
    const char* at = begin;
    const char* equals = nullptr;
    bool plain = true;
    for (; at != end; ++at) {
      if (!is_form_mark(*at)) {
        continue;
      }
      if (*at == '&') {
        break;
      }
      if (*at != '=') {
        plain = false;
      } else if (equals == nullptr) {
        equals = at;
      }
    }
    rest_.remove_prefix(static_cast<std::size_t>(at - begin) + (at == end ? 0 : 1));
    if (at != begin) {
      name_ = {begin, static_cast<std::size_t>((equals != nullptr ? equals : at) - begin)};
      const char* const value = equals != nullptr ? equals + 1 : at;
      value_ = {value, static_cast<std::size_t>(at - value)};
      plain_ = plain;
      return true;
    }
  }
  return false;
}

namespace {

/// The value when the text's first pair is called `name` and has nothing to decode.
std::optional<std::string_view> plain_first_value(std::string_view text, std::string_view name) {
  if (text.size() <= name.size() || text[name.size()] != '=' || !text_words::equal({text.data(), name.size()}, name)) {
    return std::nullopt;
  }
  bool marked = false;
  for (const char byte : name) {
    marked |= is_form_mark(byte);
  }
  const char* const begin = text.data() + name.size() + 1;
  const char* const end = text.data() + text.size();
  const char* at = begin;
  while (at != end && (!is_form_mark(*at) || *at == '=')) {
    ++at;
  }
  const bool plain = !marked && (at == end || *at == '&');
  return plain ? std::optional(std::string_view(begin, static_cast<std::size_t>(at - begin))) : std::nullopt;
}

std::string_view decoded_in(std::string_view text, std::string& room) {
  room.resize(text.size());
  return std::string_view(room).substr(0, form_decode(text, room.data()));
}

}  // namespace

std::optional<std::string_view> find_form_value(std::string_view text, std::string_view name, std::string& room) {
  if (const auto first =
          plain_first_value(text, name)) {  // mostly the first, and then its pair is all that is looked at
    return first;
  }
  FormPairs pairs(text);
  while (pairs.next()) {
    if ((pairs.plain() ? pairs.raw_name() : decoded_in(pairs.raw_name(), room)) == name) {
      return pairs.plain() ? pairs.raw_value() : decoded_in(pairs.raw_value(), room);
    }
  }
  return std::nullopt;
}

bool needs_form_decoding(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' || is_encoded(text.substr(i))) {
      return true;
    }
  }
  return false;
}

std::size_t form_decode(std::string_view text, char* out) {
  char* const begin = out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_encoded(text.substr(i))) {
      *out++ = decoded(text.substr(i));
      i += 2;
    } else {
      *out++ = text[i] == '+' ? ' ' : text[i];
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char byte : text) {
    if (is_byte(byte, kUnreservedByte)) {
      out += byte;
    } else {
      const auto code = static_cast<unsigned char>(byte);
      out += '%';
      out += kDigits[code >> 4];
      out += kDigits[code & 15];
    }
  }
  return out;
}

}  // namespace perigee::http
