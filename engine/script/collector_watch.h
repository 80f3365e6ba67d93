#pragma once

struct lua_State;

namespace perigee::profiler {
struct VmMeter;
}

namespace perigee::script {

/// How long the garbage collectors of VMs are at work, by samples: whenever the watchdog looks, at most every 5 ms, it
/// looks at the state of every VM too. The VMs pay nothing for it. Any thread.
class CollectorWatch {
 public:
  /// The VM is looked at from here on; its time is added to that of `meter`, by which it is asked for.
  static void open(lua_State* main, const profiler::VmMeter* meter);
  /// No more: the VM may be closed.
  static void close(lua_State* main);

  /// Of all VMs of that meter, those that are gone included.
  [[nodiscard]] static double seconds(const profiler::VmMeter* meter);
};

}  // namespace perigee::script
