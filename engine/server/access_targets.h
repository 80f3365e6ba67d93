#pragma once

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

  void reopen();
  /// Writes all that was submitted and ends the threads.
  void stop();

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<LogWriter>> writers_;  // guarded by mutex_
};

}  // namespace perigee::server
