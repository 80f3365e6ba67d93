#include "base/log.h"

#include <atomic>
#include <cstdio>

namespace perigee {
namespace {

/// Plain lines to standard error, for the time before a log is configured and for unit tests.
class StderrSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view message) override { write(level, message, "", ""); }

  void write(LogLevel level, std::string_view message, std::string_view fields, std::string_view) override {
    std::string line = std::string("perigee: ") + level_name(level) + ": ";
    line.append(message).append(fields.empty() ? "" : " ").append(fields).append("\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

  [[nodiscard]] bool enabled(LogLevel level) const override { return level != LogLevel::kDebug; }
};

std::atomic<LogSink*> current{nullptr};

}  // namespace

void set_log_sink(LogSink* sink) {
  current.store(sink, std::memory_order_release);
}

LogSink& log_sink() {
  static StderrSink fallback;
  LogSink* sink = current.load(std::memory_order_acquire);
  return sink != nullptr ? *sink : fallback;
}

}  // namespace perigee
