#pragma once

#include <cstddef>
#include <string_view>

namespace perigee::http {

/// How many bytes one byte may become.
inline constexpr std::size_t kHtmlGrowth = 6;

/// Writes `text` to `out` with & < > " and ' as entities, which makes it safe in an element and in a quoted attribute
/// (HTML Living Standard, section 13.3), and returns how many bytes were written; 0, and nothing written, when it holds
/// none of them. REQUIRES: room for kHtmlGrowth times the text.
[[nodiscard]] std::size_t escape_html(std::string_view text, char* out) noexcept;

}  // namespace perigee::http
