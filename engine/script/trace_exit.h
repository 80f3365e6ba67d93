#pragma once

struct lua_State;

namespace perigee::script {

/// Whether compiled code runs, and how it was left. In the profiler's line mode LuaJIT leaves a trace where the line
/// changes, and takes the interpreter back to the last point whose state it knows. That is the beginning of the line
/// that ran, or, where this one ended with a store, the beginning of the next, nothing of which has run: the
/// interpreter stands at the first instruction of a line both times. What tells the two apart is the trace itself: the
/// number of the exit, and what the trace does right behind the point that this exit goes back to.
///
/// None of it is part of LuaJIT's interface. The layout of a trace is taken for what it is in LuaJIT 2.1 with 64-bit
/// references, held against what jit.util says of some, and not used where the two differ.
class TraceExit {
 public:
  /// Readies the process; the first call does. Any thread.
  static void calibrate();

  /// Whether compiled code of `main`'s VM, when it was left last, was left before anything of the line had run where
  /// the interpreter went on. False where that can't be found out. In the VM's thread, before its next instruction.
  [[nodiscard]] static bool is_before_line(lua_State* main) noexcept;

  /// Whether the interpreter runs, or what it has called, and no compiled code: told apart while the collector runs
  /// too. False where that can't be found out. In the VM's thread, signal handlers included.
  [[nodiscard]] static bool interprets(lua_State* main) noexcept;
};

}  // namespace perigee::script
