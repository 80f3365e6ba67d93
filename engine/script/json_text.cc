#include "script/json_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace perigee::script {
namespace {

// Per byte: 0 stands for itself, 1 needs a \u escape, 2 begins a UTF-8 sequence (or is a stray), else the letter behind
// "\".
constexpr std::array<char, 256> escape_table() {
  std::array<char, 256> table{};
  for (int i = 0; i < 0x20; ++i) {
    table[static_cast<std::size_t>(i)] = 1;
  }
  for (int i = 0x80; i < 0x100; ++i) {
    table[static_cast<std::size_t>(i)] = 2;
  }
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table[0x7f] = 0;
  return table;
}

constexpr std::array<char, 256> kEscapes = escape_table();

char escape_of(char byte) {
  return kEscapes[static_cast<unsigned char>(byte)];
}

void append_escape(ByteBuffer& out, char byte) {
  const char letter = escape_of(byte);
  if (letter != 1) {
    const char pair[] = {'\\', letter};
    out.append({pair, sizeof pair});
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  out.append("\\u00");
  const char digits[] = {kHex[static_cast<unsigned char>(byte) >> 4], kHex[byte & 15]};
  out.append({digits, sizeof digits});
}

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x80 * kOnes;

template <typename Word>
std::uint64_t word_at(const char* text) {
  Word word = 0;
  std::memcpy(&word, text, sizeof word);
  return word;
}

// Whether eight bytes are all ASCII that stands for itself: the high bit of each byte tells what is to be looked at.
bool is_plain(std::uint64_t word) {
  const auto zeros = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
  const std::uint64_t controls = (word - 0x20 * kOnes) & ~word;
  return ((word | controls | zeros(word ^ '"' * kOnes) | zeros(word ^ '\\' * kOnes)) & kHighs) == 0;
}

// The same of a text. The last word of one overlaps the one before it.
bool is_plain(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  if (text.size() >= 8) {
    for (; end - at > 8; at += 8) {
      if (!is_plain(word_at<std::uint64_t>(at))) {
        return false;
      }
    }
    return is_plain(word_at<std::uint64_t>(end - 8));
  }
  if (text.size() >= 4) {
    return is_plain(word_at<std::uint32_t>(at) | word_at<std::uint32_t>(end - 4) << 32);
  }
  return std::all_of(at, end, [](char byte) { return escape_of(byte) == 0; });
}

// What comes behind the first quote.
bool append_escaped(ByteBuffer& out, std::string_view text) {
  const char* run = text.data();  // bytes from here to `at` stand for themselves
  const char* at = run;
  const char* const end = run + text.size();
  while (at != end) {
    const char escape = escape_of(*at);
    if (escape == 0) {
      ++at;
    } else if (escape == 2) {
      const std::size_t size = utf8_sequence(at, end);
      if (size == 0) {
        return false;
      }
      at += size;
    } else {
      out.append({run, at});
      append_escape(out, *at);
      run = ++at;
    }
  }
  out.append({run, end});
  out.append("\"");
  return true;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

}  // namespace

std::size_t utf8_sequence(const char* text, const char* end) {
  const auto first = static_cast<unsigned char>(*text);
  const auto left = static_cast<std::size_t>(end - text);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || left < size) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(text[i])) {
      return 0;
    }
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool forbidden = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                         (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return forbidden ? 0 : size;
}

bool append_json_text(ByteBuffer& out, std::string_view text) {
  char* const room = out.reserve(text.size() + 2);
  *room = '"';
  if (!is_plain(text)) [[unlikely]] {
    out.commit(1);
    return append_escaped(out, text);
  }
  std::memcpy(room + 1, text.data(), text.size());
  room[text.size() + 1] = '"';
  out.commit(text.size() + 2);
  return true;
}

}  // namespace perigee::script
