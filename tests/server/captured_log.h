#pragma once

#include <mutex>
#include <string>

#include "base/log.h"

/// Takes the place of the error log for one test; one line an event. Any thread may log.
class CapturedLog final : public perigee::LogSink {
 public:
  CapturedLog() { perigee::set_log_sink(this); }
  ~CapturedLog() override { perigee::set_log_sink(nullptr); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  void write(perigee::LogLevel level, std::string_view message) override { write(level, message, {}, {}); }
  void write(perigee::LogLevel level, std::string_view message, std::string_view, std::string_view) override {
    static constexpr const char* kNames[] = {"debug ", "info ", "warn ", "error "};
    const std::lock_guard lock(mutex_);
    (text_ += kNames[static_cast<int>(level)]).append(message) += '\n';
  }
  [[nodiscard]] bool enabled(perigee::LogLevel) const override { return true; }

  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};
