#include "script/json_text.h"

#include <array>

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
      const std::size_t size = utf8_length({at, end});
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

}  // namespace

bool append_json_text(ByteBuffer& out, std::string_view text) {
  char* const place = out.reserve(text.size() + 2);
  *place = '"';
  if (!copy_plain_text(place + 1, text)) [[unlikely]] {
    out.commit(1);
    return append_escaped(out, text);
  }
  place[text.size() + 1] = '"';
  out.commit(text.size() + 2);
  return true;
}

}  // namespace perigee::script
