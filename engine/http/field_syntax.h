#pragma once

#include <string_view>

namespace perigee::http {

/// RFC 9110 section 5.6.2: one or more tchar.
[[nodiscard]] bool is_token(std::string_view text);

/// RFC 9110 section 5.5: visible characters, SP, HTAB and obs-text; nothing else, so no CR, LF or NUL.
[[nodiscard]] bool is_field_value(std::string_view text);

/// RFC 9110 section 7.2 with RFC 3986 section 3.2: reg-name, IPv4 or [IPv6] and an optional port; no userinfo.
[[nodiscard]] bool is_host(std::string_view text);

/// Whether two ASCII texts are equal but for case.
[[nodiscard]] bool equal_fold(std::string_view a, std::string_view b);

}  // namespace perigee::http
