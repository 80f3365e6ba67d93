#include "server/access_targets.h"

#include <utility>

namespace perigee::server {

Result<> AccessTargets::open(const std::string& target) {
  const std::lock_guard lock(mutex_);
  if (target == "off" || writers_.contains(target)) {
    return {};
  }
  auto writer = LogWriter::open(target);
  if (!writer) {
    return fail("log.access: " + writer.error().message);
  }
  writers_.emplace(target, std::move(*writer));
  return {};
}

LogWriter* AccessTargets::find(const std::string& target) {
  const std::lock_guard lock(mutex_);
  const auto found = writers_.find(target);
  return found == writers_.end() ? nullptr : found->second.get();
}

AccessTargets::Lost AccessTargets::lost() {
  const std::lock_guard lock(mutex_);
  Lost lost;
  for (const auto& [target, writer] : writers_) {
    lost.dropped += writer->dropped_lines();
    lost.failed += writer->failed_lines();
  }
  return lost;
}

void AccessTargets::reopen() {
  const std::lock_guard lock(mutex_);
  for (const auto& [target, writer] : writers_) {
    writer->reopen();
  }
}

void AccessTargets::stop() {
  const std::lock_guard lock(mutex_);
  for (const auto& [target, writer] : writers_) {
    writer->stop();
  }
}

}  // namespace perigee::server
