#pragma once

#include <cstdint>
#include <string>

// Points in time as logs write them; a time is in milliseconds since the epoch. Any thread.
namespace perigee::server {

/// Wall-clock time now; may jump with the system's clock.
[[nodiscard]] std::int64_t wall_ms();

/// RFC 3339 without fraction and zone, in UTC: "2026-01-31T23:59:59".
[[nodiscard]] std::string utc_second_text(std::int64_t seconds);

/// Apache's form, in local time: "31/Jan/2026:23:59:59 +0100".
[[nodiscard]] std::string apache_second_text(std::int64_t seconds);

/// Appends the rest of an RFC 3339 time in UTC to its second: ".042Z".
void append_millisecond(std::string& out, std::int64_t time_ms);

}  // namespace perigee::server
