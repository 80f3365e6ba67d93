#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace perigee::server {

/// A file, or a standard stream, that lines are appended to. One thread at a time.
class LogFile {
 public:
  /// What became of a write().
  struct Outcome {
    std::uint64_t lost_lines = 0;
    int error = 0;  ///< an errno value if lines were lost
  };

  /// Opens "stdout", "stderr" or a file, which is made (mode 0640) if it is not there. The error names the target.
  [[nodiscard]] static Result<LogFile> open(const std::string& target);

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&&) = delete;
  ~LogFile();

  /// Opens the path anew, after a rotation has renamed the file; a standard stream stays. On an error so does the file.
  [[nodiscard]] Result<> reopen();

  /// Appends whole lines. A pipe or socket that is full is waited for until `deadline`, by monotonic_ms(), which
  /// another thread may bring forward. A line that an error cuts is ended before the next one. REQUIRES: `lines` is
  /// empty or ends with a newline.
  [[nodiscard]] Outcome write(std::string_view lines, const std::atomic<Milliseconds>& deadline);

  [[nodiscard]] const std::string& target() const { return target_; }

 private:
  LogFile(std::string target, int fd);
  [[nodiscard]] int await_room(const std::atomic<Milliseconds>& deadline) const;
  [[nodiscard]] int write_all(std::string_view& rest, const std::atomic<Milliseconds>& deadline) const;

  std::string target_;
  int fd_;
  bool may_fill_;      // a pipe, socket or terminal, which blocks its writer
  bool torn_ = false;  // the last line written lacks its end
};

}  // namespace perigee::server
