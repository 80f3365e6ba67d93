#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"

namespace perigee::server {

enum class LogFormat : std::uint8_t { kText, kJson };

/// One event of the error log.
struct LogEvent {
  std::int64_t time_ms = 0;  ///< since the epoch
  LogLevel level = LogLevel::kInfo;
  std::string_view message;     ///< any bytes
  std::string_view fields;      ///< a JSON object as text, or ""
  std::string_view request_id;  ///< or ""
};

/// The event as one line, whatever it holds, without the newline. Text: `TIME LEVEL [ID] MESSAGE FIELDS`, a newline
/// within the message written as "\n". JSON: time, level, message, id and the members of `fields`, which get an
/// underscore behind a name that is taken. Fields that are no object are kept as the string "fields". Pure; any thread.
[[nodiscard]] std::string log_line(LogFormat format, const LogEvent& event);

}  // namespace perigee::server
