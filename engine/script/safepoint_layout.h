#pragma once

#include <cstddef>
#include <cstdint>

struct lua_State;

namespace perigee::script {

/// Where LuaJIT keeps in memory what Safepoint goes by. None of it is part of its interface: each part is found out by
/// what the interface changes, by Safepoint::calibrate() alone; from then on any thread reads, signal handlers too.
class SafepointLayout {
 public:
  /// Each looks for one part in a VM that does nothing else. False: it is not where it was looked for, or more than one
  /// place may be it.
  static bool find_mask(lua_State* main);
  static bool find_state(lua_State* main);
  static bool find_phase(lua_State* main);
  static bool find_next(lua_State* main);
  static bool find_running(lua_State* main);

  inline static std::size_t mask_offset = 0;   ///< of the hooks' mask, from the main lua_State; 0 while it is not known
  inline static std::size_t state_offset = 0;  ///< likewise, of what the VM does
  inline static std::size_t phase_offset = 0;  ///< likewise, of the collector's phase
  inline static std::size_t running_offset = 0;   ///< likewise, of the address of the coroutine that runs
  static constexpr std::uint8_t kFinalizing = 5;  ///< the last phase: finalizers, one after the other

  // Where a running coroutine keeps the address of its next instruction: at an offset from what a word of its lua_State
  // points to, which is a frame of the native stack. 0: not known.
  inline static std::size_t frame_offset = 0;
  inline static std::ptrdiff_t next_offset = 0;
  static constexpr std::uintptr_t kInstruction = 4;  ///< bytes

  /// REQUIRES: running_offset is known.
  [[nodiscard]] static lua_State* running(lua_State* main);

  /// REQUIRES: next_offset is known.
  [[nodiscard]] static volatile std::uintptr_t* next_slot(lua_State* running);
};

}  // namespace perigee::script
