#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "server/log_line.h"
#include "server/options.h"

namespace perigee::server {

/// The error log: one event, one line, written before write() returns. Owned by the main thread, which makes it the
/// process's log with set_log_sink(); any thread may call.
class ErrorLog final : public LogSink {
 public:
  struct Settings {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;
    std::string target = "stderr";  ///< or "stdout", or a file, which is made (mode 0640) if it is not there
  };

  /// What [log] says of it. REQUIRES: `options` were loaded, so that their words are known.
  [[nodiscard]] static Settings settings_of(const Options& options);

  /// Opens the target. The error names it.
  [[nodiscard]] static Result<std::unique_ptr<ErrorLog>> open(const Settings& settings);
  ~ErrorLog() override;
  ErrorLog(const ErrorLog&) = delete;
  ErrorLog& operator=(const ErrorLog&) = delete;

  void write(LogLevel level, std::string_view message) override { write(level, message, {}, {}); }
  void write(LogLevel level, std::string_view message, std::string_view fields, std::string_view request_id) override;
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= level_.load(std::memory_order_relaxed); }

  /// Takes new settings, for a reload. On an error everything stays as it was.
  [[nodiscard]] Result<> apply(const Settings& settings);

  /// Opens the path anew, after a rotation has renamed the file. On an error the open one stays.
  [[nodiscard]] Result<> reopen();

  /// Events that were written, of one level.
  [[nodiscard]] std::uint64_t events(LogLevel level) const {
    return events_[static_cast<std::size_t>(level)].load(std::memory_order_relaxed);
  }

  /// Lines lost to write errors.
  [[nodiscard]] std::uint64_t failed_lines() const;

 private:
  struct Output;

  ErrorLog();
  [[nodiscard]] Result<> open_target(const std::string& target);

  std::atomic<LogLevel> level_;
  std::atomic<LogFormat> format_;
  std::array<std::atomic<std::uint64_t>, 4> events_{};  // by level
  std::mutex changes_;                                  // apply() and reopen()
  std::string target_;                                  // under changes_
  std::unique_ptr<Output> output_;
};

}  // namespace perigee::server
