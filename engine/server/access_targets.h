#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "server/log_writer.h"

namespace perigee::server {

/// The files that access logs go to, each opened once and kept to the end, as a reload may name another. Any thread.
class AccessTargets {
 public:
  /// Opens `target` ("off" opens nothing) so that find() knows it.
  [[nodiscard]] Result<> open(const std::string& target);

  /// The writer of a target that was opened; null for "off".
  [[nodiscard]] LogWriter* find(const std::string& target);

  /// Lines lost by all of them.
  struct Lost {
    std::uint64_t dropped = 0;  ///< because a queue was full
    std::uint64_t failed = 0;   ///< because they could not be written
  };
  [[nodiscard]] Lost lost();

  void reopen();
  /// Writes all that was submitted and ends the threads.
  void stop();

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<LogWriter>> writers_;  // guarded by mutex_
};

}  // namespace perigee::server
