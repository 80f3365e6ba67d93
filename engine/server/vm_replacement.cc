#include "server/vm_replacement.h"

#include <string>

#include "base/log.h"

namespace perigee::server {

void VmReplacement::ask(std::size_t worker, std::size_t bytes) {
  constexpr Milliseconds kRarely = 60'000;
  const Milliseconds now = monotonic_ms();
  if (last_ != 0 && now - last_ < kRarely) {
    return;
  }
  last_ = now;
  log_event(LogLevel::kWarn, "the Lua VM of worker " + std::to_string(worker + 1) + " holds " +
                                 std::to_string(bytes >> 20) +
                                 " MiB, more than limits.vm_memory: a reload replaces every VM by a fresh one");
  reload_();
}

}  // namespace perigee::server
