#include "base/log.h"

#include <atomic>
#include <cstdio>

namespace perigee {
namespace {

/// Plain lines to standard error, for the time before a log is configured and for unit tests.
class StderrSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view message) override { write(level, message, {}, {}); }

  void write(LogLevel level, std::string_view message, std::string_view fields, std::string_view) override {
    static constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
    std::fprintf(stderr, "perigee: %s: %.*s%s%.*s\n", kNames[static_cast<int>(level)], static_cast<int>(message.size()),
                 message.data(), fields.empty() ? "" : " ", static_cast<int>(fields.size()), fields.data());
  }

  [[nodiscard]] bool enabled(LogLevel level) const override { return level != LogLevel::kDebug; }
};

std::atomic<LogSink*> current{nullptr};

}  // namespace

void set_log_sink(LogSink* sink) { current.store(sink, std::memory_order_release); }

LogSink& log_sink() {
  static StderrSink fallback;
  LogSink* sink = current.load(std::memory_order_acquire);
  return sink != nullptr ? *sink : fallback;
}

}  // namespace perigee
