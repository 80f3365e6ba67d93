#pragma once

#include <cstddef>
#include <string_view>

#include "base/byte_buffer.h"

namespace perigee::script {

/// Appends `text` as a JSON string with its quotes. False, with `out` in an unspecified state, when it is not UTF-8.
[[nodiscard]] bool append_json_text(ByteBuffer& out, std::string_view text);

/// The length of the UTF-8 sequence that begins at `text` (RFC 3629: no overlong form, no surrogate, at most U+10FFFF);
/// 0 when there is none.
[[nodiscard]] std::size_t utf8_sequence(const char* text, const char* end);

}  // namespace perigee::script
