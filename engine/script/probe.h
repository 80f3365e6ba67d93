#pragma once

struct lua_State;

namespace perigee::script {

/// Shows the profiler's samplers what runs in the VMs of their threads: the state of the VM from within the signal, the
/// Lua stack at the next instruction of its code (Safepoint::nudge), or when the code is left before.
class Probe {
 public:
  /// Once in the process, before anything is recorded.
  static void install();

  /// Gives the stack of `running` to the samples of this thread that wait for one. In the VM's thread, where its stack
  /// can be read.
  static void look(lua_State* running) noexcept;
};

}  // namespace perigee::script
