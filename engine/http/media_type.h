#pragma once

#include <string_view>

namespace perigee::http {

/// The type of a Content-Type field without its parameters and white space: "application/json; charset=utf-8" gives
/// "application/json" (RFC 9110 section 8.3.1). In the case it was sent in.
[[nodiscard]] std::string_view media_type(std::string_view content_type);

/// Whether a media type is JSON: application/json, or any with the suffix +json (RFC 8259 section 11, RFC 6839 section
/// 3.1), in any case.
[[nodiscard]] bool is_json_type(std::string_view media_type);

}  // namespace perigee::http
