#include "server/spec_log.h"

#include <cstdio>
#include <utility>

namespace perigee::server {
namespace {

thread_local SpecLog::Page* collected = nullptr;

}  // namespace

void SpecLog::Page::add(std::string_view line) {
  constexpr std::size_t kMost = 64 * 1024;  // bytes of a test's log that are shown
  const std::lock_guard lock(mutex_);
  if (text_.size() < kMost) {
    text_.append(line);
  }
}

std::string SpecLog::Page::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(text_, {});
}

void SpecLog::collect(Page* page) {
  collected = page;
}

void SpecLog::write(LogLevel level, std::string_view message, std::string_view fields, std::string_view) {
  std::string line = std::string("  ") + level_name(level) + ": ";
  line.append(message).append(fields.empty() ? "" : " ").append(fields).append("\n");
  if (collected == nullptr) {
    if (level == LogLevel::kError) {
      std::fwrite(line.data() + 2, 1, line.size() - 2, stderr);
    }
  } else {
    collected->add(line);
  }
}

}  // namespace perigee::server
