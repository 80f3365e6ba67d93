#include "http/problem.h"

#include <cstddef>

#include "http/response.h"

namespace perigee::http {
namespace {

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

/// The size of the UTF-8 sequence that `text` begins with (RFC 3629 section 4); 0 when it begins with none.
std::size_t sequence_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t size = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(text, i)) {
      return 0;
    }
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool beyond = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || beyond ? 0 : size;
}

/// Appends a character that a JSON string may not hold as it is.
void append_escaped(std::string& out, char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(byte) >> 4];
      out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += out.size() > 1 ? "," : "";
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto code = static_cast<unsigned char>(text[at]);
    const std::size_t size = sequence_size(text.substr(at));
    if (size == 0) {
      out += kReplacement;
    } else if (code < 0x20 || code == '"' || code == '\\' || code == 0x7f) {
      append_escaped(out, text[at]);
    } else {
      out += text.substr(at, size);
    }
    at += size == 0 ? 1 : size;
  }
  out += '"';
}

std::string problem_json(int status, std::string_view detail, std::string_view request_id) {
  std::string out = "{";
  append_member(out, "title", reason_phrase(status));
  out += ",\"status\":" + std::to_string(status);
  if (!detail.empty()) {
    append_member(out, "detail", detail);
  }
  if (!request_id.empty()) {
    append_member(out, "request_id", request_id);
  }
  return out + "}";
}

}  // namespace perigee::http
