#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace perigee::http {

/// Reads a date in any of the three forms of RFC 9110 section 5.6.7: IMF-fixdate, RFC 850 (its year is the one within
/// fifty years of `now`) and asctime. Nothing for any other text, also one that names no day of the calendar.
[[nodiscard]] std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now);

}  // namespace perigee::http
