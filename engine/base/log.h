#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

namespace perigee {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

inline constexpr LogLevel kLogLevels[] = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError};
/// What they are called, in this order; null ends them.
inline constexpr const char* kLogLevelNames[] = {"debug", "info", "warn", "error", nullptr};
[[nodiscard]] constexpr const char* level_name(LogLevel level) {
  return kLogLevelNames[static_cast<std::size_t>(level)];
}

/// Receives every event of the error log. Any thread may call.
class LogSink {
 public:
  virtual ~LogSink() = default;

  /// Takes one event. `message` is whole and may hold any bytes; the sink escapes what its format forbids.
  virtual void write(LogLevel level, std::string_view message) = 0;

  /// Takes one event with `fields`, a JSON object as text ("" for none), and the request it belongs to ("" for none).
  virtual void write(LogLevel level, std::string_view message, std::string_view fields,
                     std::string_view request_id) = 0;

  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
};

/// Names the sink that log_event() feeds; null (the start) sends events to standard error. Set it before threads start.
void set_log_sink(LogSink* sink);

/// The sink set, or the one that writes plain lines to standard error.
[[nodiscard]] LogSink& log_sink();

/// Writes one event; without memory for its line there is none, for who runs out of memory says so by this.
inline void log_event(LogLevel level, std::string_view message) noexcept try {
  if (log_sink().enabled(level)) {
    log_sink().write(level, message);
  }
} catch (const std::bad_alloc&) {
  return;
}

}  // namespace perigee
