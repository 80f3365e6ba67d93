#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"

namespace perigee::server {

/// The log while tests run: each thread's events go to the test it runs, and are shown where that fails. What a thread
/// of no test logs goes to standard error, errors only. Any thread.
class SpecLog final : public LogSink {
 public:
  /// Where the threads of one file of tests log to.
  class Page {
   public:
    void add(std::string_view line);
    /// Takes what was added so far.
    [[nodiscard]] std::string take();

   private:
    std::mutex mutex_;
    std::string text_;  // guarded by mutex_
  };

  /// Has the calling thread's events added to `page`, a line each; null: to standard error.
  static void collect(Page* page);

  void write(LogLevel level, std::string_view message) override { write(level, message, "", ""); }
  void write(LogLevel level, std::string_view message, std::string_view fields, std::string_view request_id) override;
  [[nodiscard]] bool enabled(LogLevel level) const override { return level != LogLevel::kDebug; }
};

}  // namespace perigee::server
