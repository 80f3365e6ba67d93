#include "script/collector_watch.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>

#include "base/after_look.h"
#include "script/safepoint.h"

namespace perigee::script {
namespace {

constexpr std::int32_t kCollector = -3;             // Safepoint::state()
constexpr std::int64_t kMostElapsed = 100'000'000;  // ns: what lies between two looks may not all be the collector's

struct Registry {
  std::mutex mutex;
  std::map<lua_State*, const profiler::VmMeter*> open;             // guarded by mutex
  std::map<const profiler::VmMeter*, std::int64_t> collecting_ns;  // likewise

  void look(std::int64_t elapsed) {
    const std::lock_guard lock(mutex);
    for (const auto& [main, meter] : open) {
      if (Safepoint::state(main) == kCollector) {
        collecting_ns[meter] += std::min(elapsed, kMostElapsed);
      }
    }
  }
};

// Never destroyed: a watchdog may look for as long as the process lives.
Registry& registry() {
  static auto* const only = new Registry;
  return *only;
}

}  // namespace

void CollectorWatch::open(lua_State* main, const profiler::VmMeter* meter) {
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    all.open[main] = meter;
    all.collecting_ns.try_emplace(meter, 0);
  }
  after_look.store([](std::int64_t elapsed) noexcept { registry().look(elapsed); }, std::memory_order_release);
}

void CollectorWatch::close(lua_State* main) {
  const std::lock_guard lock(registry().mutex);
  registry().open.erase(main);
}

double CollectorWatch::seconds(const profiler::VmMeter* meter) {
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().collecting_ns.find(meter);
  return found != registry().collecting_ns.end() ? static_cast<double>(found->second) * 1e-9 : 0;
}

}  // namespace perigee::script
