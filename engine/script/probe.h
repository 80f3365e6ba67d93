#pragma once

#include <cstdint>
#include <vector>

struct lua_State;

namespace perigee::profiler {
class ThreadSampler;
}

namespace perigee::script {

/// Shows the profiler's samplers what runs in the VMs of their threads: the state of the VM from within the signal, the
/// Lua stack at the next instruction of its code (Safepoint::nudge), or when the code is left before.
class Probe {
 public:
  /// Once in the process, before anything is recorded.
  static void install();

  /// Gives the stack of `running`, which is between two instructions, to the samples of this thread that wait for one.
  static void look(lua_State* running) noexcept;
  /// The same of a coroutine that has yielded or ended.
  static void look_at_end(lua_State* left) noexcept;

  /// A stack as ids of `sampler`'s places: that of a coroutine, and of the task's around it if it is another.
  [[nodiscard]] static std::vector<std::uint32_t> stack_of(profiler::ThreadSampler& sampler, lua_State* inner,
                                                           lua_State* outer);
};

}  // namespace perigee::script
