#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/log_writer.h"

namespace perigee::server {

enum class AccessFormat : std::uint8_t {
  kCombined,  ///< Apache's: host ident user [time] "request line" status bytes "referer" "agent"
  kJson
};

/// One answered request, as far as it is known; an empty string is what a request did not have. Cookies and
/// authorization have no place here.
struct AccessRecord {
  std::int64_t time_ms = 0;  ///< when its head had arrived, in milliseconds since the epoch
  std::int64_t duration_us = 0;
  std::string_view id;
  std::string_view remote;  ///< the client's address
  std::string_view user;
  std::string_view method;
  std::string_view target;   ///< as it stood in the request line
  std::string_view version;  ///< "HTTP/1.1"
  std::string_view path;     ///< what the skip list is held against
  std::string_view route;    ///< the pattern that matched
  std::string_view referer;
  std::string_view agent;
  std::string_view trace_id;  ///< of the trace it belongs to
  int status = 0;
  std::uint64_t bytes = 0;  ///< of the body sent
};

/// Formats a line for each request into a buffer, which goes to the writer when it is full, at flush() and at the end.
/// One a worker, owned by it; its thread only. Lines are never cut, and hold nothing that could pass for another line.
class AccessLog {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
  static constexpr int kFlushMs = 500;  ///< how often the worker's timer calls flush()

  /// `skip` names whole paths whose requests have no line. REQUIRES: `writer` outlives this.
  AccessLog(LogWriter& writer, AccessFormat format, std::vector<std::string> skip);
  ~AccessLog() { flush(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void write(const AccessRecord& record) noexcept;

  void flush() noexcept { writer_->submit(buffer_); }

  /// Whether lines show the request's id, which then has to be made.
  [[nodiscard]] bool shows_id() const { return format_ == AccessFormat::kJson; }

 private:
  [[nodiscard]] bool skips(std::string_view path) const;
  void keep_second(std::int64_t time_ms);
  void append_combined(const AccessRecord& record);
  void append_json(const AccessRecord& record);

  LogWriter* writer_;
  AccessFormat format_;
  std::vector<std::string> skip_;  // sorted
  std::string buffer_;
  std::int64_t second_ = INT64_MIN;  // that second_text_ shows
  std::string second_text_;
};

}  // namespace perigee::server
