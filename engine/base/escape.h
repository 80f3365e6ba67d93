#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace perigee {

/// Bytes of the UTF-8 character that `text` begins with (RFC 3629: no overlong form, no surrogate, at most U+10FFFF),
/// or 0 if it begins with none. REQUIRES: `text` is not empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

/// Appends `text` as one JSON string with its quotes (RFC 8259 section 7). Control characters, the C1 controls and the
/// line separators U+2028 and U+2029 included, are escaped; each byte that is no UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends what lies between the quotes of append_json_string().
void append_json_escaped(std::string& out, std::string_view text);

/// Appends `text` with nothing in it that could end a line, drive a terminal or be read two ways: "\n", "\r" and "\t"
/// and a backslash as two characters, other controls and bytes that are no UTF-8 as \xHH, a double quote as \" if
/// `quotes`.
void append_log_escaped(std::string& out, std::string_view text, bool quotes);

/// Appends `text` for people who read it on a terminal: lines, tabs and backslashes as they are, and everything else
/// that could drive the terminal as append_log_escaped() writes it.
void append_terminal_text(std::string& out, std::string_view text);

}  // namespace perigee
