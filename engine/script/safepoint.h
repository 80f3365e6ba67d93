#pragma once

#include <cstdint>
#include <string_view>

struct lua_State;
struct lua_Debug;

namespace perigee::script {

/// How running Lua code is reached, also code that the JIT has compiled, from a signal handler or the allocator.
///
/// LuaJIT checks one bit in compiled code wherever the line changes, when a VM is in the profiler's line mode; with the
/// bit set such code goes back to the interpreter, which then calls a hook at its next instruction. The bit is no part
/// of LuaJIT's interface: where it lies is found out by watching what the interface changes (calibrate()). The profiler
/// itself serves one VM a process, which is a dummy of ours; the others only take over its line mode.
class Safepoint {
 public:
  using Hook = void (*)(lua_State*, lua_Debug*);
  using Look = void (*)(lua_State* running);

  /// The parts that are found out, each by itself.
  struct Known {
    bool interrupt = false;    ///< how compiled code is brought back: without, arm() reaches it when it comes by itself
    bool state = false;        ///< where a VM keeps what it does: state()
    bool collector = false;    ///< where it keeps what its collector does, and which coroutine runs: raises()
    bool instruction = false;  ///< where a coroutine keeps its next instruction: StepBack
  };

  /// Readies the process; the first call does. Any thread. The environment's PERIGEE_UNKNOWN_LUAJIT names parts that
  /// are not to be found, "interrupt,state": so that tests see what is done without.
  static const Known& calibrate();

  /// Whether a part of LuaJIT's memory may be looked for, as far as that variable says.
  [[nodiscard]] static bool is_wanted(std::string_view part);

  /// Has the code that `main`'s VM compiles from here on be reachable. REQUIRES: nothing has run in it.
  static void prepare(lua_State* main);

  /// Has `hook` called at every next instruction, from within whatever runs: finalizers and other hooks too. False: not
  /// now, as the VM is calling back. In the VM's thread, signal handlers included.
  static bool arm(lua_State* main, Hook hook) noexcept;

  /// Has what on_look() was given called once, at the next instruction, and everything go on as before. Hooks stay as
  /// they are. False: not now, as the VM is calling back, or compiling. In the VM's thread, signal handlers included.
  static bool nudge(lua_State* main) noexcept;

  /// What a nudge calls, with the coroutine that runs: it may look and must neither run Lua nor raise. For all VMs of
  /// the process. Any thread.
  static void on_look(Look look);

  static constexpr std::int32_t kInterpreter = -1;
  static constexpr std::int32_t kNativeFunction = -2;

  /// What the VM does: the number of the compiled trace it runs, from 1 on; 0 where that can't be found out; -1 while
  /// it interprets, -2 in a native function, -3 while it collects garbage, below that while it compiles. In the VM's
  /// thread, signal handlers included.
  [[nodiscard]] static std::int32_t state(lua_State* main) noexcept;

  /// While this lives, lua_getinfo() takes a coroutine for one instruction back: what has just ended is told as
  /// running. REQUIRES: made in a hook, or in what on_look() was given, of the coroutine that runs.
  class StepBack {
   public:
    explicit StepBack(lua_State* running) noexcept;
    ~StepBack();
    StepBack(const StepBack&) = delete;
    StepBack& operator=(const StepBack&) = delete;

   private:
    volatile std::uintptr_t* slot_;  // of the next instruction's address; null where that is not known
  };

  /// Whether the collector runs a finalizer. False where that can't be found out. In the VM's thread.
  [[nodiscard]] static bool finalizing(lua_State* main) noexcept;

  /// Whether LuaJIT raises an error safely where it is now, as the allocator may see it: in the interpreter and in
  /// native functions, but not in compiled code, in the compiler, in the collector, which after a finalizer passes
  /// itself off as a native function, or in those of LuaJIT's own functions that have left the stack's top where it was
  /// before they were called. False where that can't be found out. In the VM's thread.
  [[nodiscard]] static bool raises(lua_State* main) noexcept;

  /// Puts back the hook that was there before, if any.
  static void disarm(lua_State* main, Hook before, int mask, int count) noexcept;
};

}  // namespace perigee::script
