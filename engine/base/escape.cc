#include "base/escape.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace perigee {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::uint8_t byte_of(char c) {
  return static_cast<std::uint8_t>(c);
}

// Bytes that every form writes as they are.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) {
    plain[c] = c != '"' && c != '\\';
  }
  return plain;
}();

// Sixteen bytes that are looked at together.
using Block = std::uint8_t __attribute__((vector_size(16)));

bool all_plain(const char* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof block);
  const auto special = (block < 0x20) | (block > 0x7e) | (block == '"') | (block == '\\');
  std::uint64_t halves[2];
  std::memcpy(halves, &special, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}

std::size_t plain_prefix(std::string_view text) {
  std::size_t size = 0;
  while (size + sizeof(Block) <= text.size() && all_plain(text.data() + size)) {
    size += sizeof(Block);
  }
  while (size < text.size() && kPlain[byte_of(text[size])]) {
    ++size;
  }
  return size;
}

// The code point of a character of two or three bytes if a line must not show it, else 0.
unsigned unsafe_character(std::string_view character) {
  if (character.size() == 2 && byte_of(character[0]) == 0xc2 && byte_of(character[1]) < 0xa0) {
    return byte_of(character[1]);
  }
  if (character == "\u2028") {
    return 0x2028;
  }
  return character == "\u2029" ? 0x2029 : 0;
}

char short_escape(char c) {
  switch (c) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\\':
    case '"':
      return c;
    default:
      return 0;
  }
}

void append_unicode_escape(std::string& out, unsigned point) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    out += kHex[(point >> shift) & 15];
  }
}

void append_byte_escapes(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    out += "\\x";
    out += kHex[byte_of(c) >> 4];
    out += kHex[byte_of(c) & 15];
  }
}

// Takes the first character of `text`, one that is not plain; returns its bytes.
std::size_t append_json_character(std::string& out, std::string_view text) {
  const std::size_t length = utf8_length(text);
  const std::string_view character = text.substr(0, length);
  if (length == 0) {
    append_unicode_escape(out, 0xfffd);
    return 1;
  }
  if (const char escape = length == 1 ? short_escape(text[0]) : '\0'; escape != 0) {
    (out += '\\') += escape;
  } else if (const unsigned point = length == 1 ? byte_of(text[0]) : unsafe_character(character);
             length == 1 || point != 0) {
    append_unicode_escape(out, point);
  } else {
    out += character;
  }
  return length;
}

std::size_t append_log_character(std::string& out, std::string_view text, bool quotes) {
  const std::size_t length = utf8_length(text);
  const std::string_view character = text.substr(0, length);
  if (length == 0) {
    append_byte_escapes(out, text.substr(0, 1));
    return 1;
  }
  if (text[0] == '"' && !quotes) {
    out += '"';
  } else if (const char escape = length == 1 ? short_escape(text[0]) : '\0'; escape != 0) {
    (out += '\\') += escape;
  } else if (length == 1 || unsafe_character(character) != 0) {
    append_byte_escapes(out, character);
  } else {
    out += character;
  }
  return length;
}

std::size_t append_terminal_character(std::string& out, std::string_view text) {
  if (text[0] == '\n' || text[0] == '\t' || text[0] == '\\') {
    out += text[0];
    return 1;
  }
  return append_log_character(out, text, false);
}

// Plain bytes as they are; `append_character` takes the first of a text, which is not plain, and returns its bytes.
template <typename AppendCharacter>
void append_characters(std::string& out, std::string_view text, const AppendCharacter& append_character) {
  for (;;) {
    const std::size_t plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) {
      return;
    }
    text.remove_prefix(append_character(out, text));
  }
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const std::uint8_t first = byte_of(text[0]);
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xc2 || first > 0xf4) {
    return 0;
  }
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_of(text[i]) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const std::uint8_t second = byte_of(text[1]);
  const bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

void append_json_escaped(std::string& out, std::string_view text) {
  append_characters(out, text, append_json_character);
}

void append_log_escaped(std::string& out, std::string_view text, bool quotes) {
  append_characters(
      out, text, [quotes](std::string& to, std::string_view rest) { return append_log_character(to, rest, quotes); });
}

void append_terminal_text(std::string& out, std::string_view text) {
  append_characters(out, text, append_terminal_character);
}

}  // namespace perigee
