#include "script/safepoint_layout.h"

#include <lua.hpp>

#include <cstdlib>
#include <cstring>

#include "script/safepoint.h"

namespace perigee::script {
namespace {

using Layout = SafepointLayout;

constexpr std::size_t kSearched = 1024;    // bytes of a VM's state behind its main lua_State
constexpr std::uintptr_t kFrameFlags = 3;  // bits of the pointer that are none of the address

// What lies behind a VM's main state while a native function runs, and then while a trace calls one.
struct Snapshots {
  lua_State* main = nullptr;
  std::uint8_t native[kSearched];
  std::uint8_t compiled[kSearched];
};

Snapshots* snapshots = nullptr;

void snap_compiled() noexcept {
  std::memcpy(snapshots->compiled, reinterpret_cast<const void*>(snapshots->main), kSearched);
}

int snap_native(lua_State*) {
  std::memcpy(snapshots->native, reinterpret_cast<const void*>(snapshots->main), kSearched);
  return 0;
}

// Fills both; the last of many calls in a loop comes from compiled code. Leaves whatever went wrong to be found out by
// what the snapshots show.
int take_snapshots(lua_State* state) {
  luaL_openlibs(state);
  lua_pushcfunction(state, snap_native);
  lua_call(state, 0, 0);
  constexpr const char* kLoop =
      "local snap = require('ffi').cast('void (*)(void)', (...)) require('jit').opt.start('hotloop=2')"
      " for _ = 1, 200 do snap() end";
  if (luaL_loadstring(state, kLoop) == 0) {
    lua_pushlightuserdata(state, reinterpret_cast<void*>(&snap_compiled));
    lua_call(state, 1, 0);
  }
  return 0;
}

// What lies behind a VM's main state while the collector runs a finalizer, after it, and where a collection has begun.
struct Phases {
  lua_State* main = nullptr;
  int taken = 0;
  std::uint8_t seen[3][kSearched];
};

Phases* phases = nullptr;

int snap_phase(lua_State*) {
  std::memcpy(phases->seen[phases->taken++ % 3], reinterpret_cast<const void*>(phases->main), kSearched);
  return 0;
}

int take_phases(lua_State* state) {
  lua_newuserdata(state, 1);
  lua_newtable(state);
  lua_pushcfunction(state, snap_phase);
  lua_setfield(state, -2, "__gc");
  lua_setmetatable(state, -2);
  lua_settop(state, 0);
  lua_gc(state, LUA_GCCOLLECT, 0);
  snap_phase(state);
  lua_gc(state, LUA_GCSTEP, 0);
  snap_phase(state);
  lua_gc(state, LUA_GCCOLLECT, 0);
  return 0;
}

// What lies behind a VM's main state while it runs itself, and while coroutines do, one within the other.
struct Turns {
  static constexpr int kTaken = 4;
  lua_State* main = nullptr;
  int taken = 0;
  lua_State* running[kTaken];
  std::uint8_t seen[kTaken][kSearched];
};

Turns* turns = nullptr;

int snap_turn(lua_State* running) {
  if (turns->taken < Turns::kTaken) {
    turns->running[turns->taken] = running;
    std::memcpy(turns->seen[turns->taken++], reinterpret_cast<const void*>(turns->main), kSearched);
  }
  return 0;
}

int take_turns(lua_State* state) {
  constexpr const char* kTurns =
      "local snap, wrap = (...), require('coroutine').wrap"
      " snap() wrap(function() snap() wrap(snap)() end)() snap()";
  luaL_openlibs(state);
  if (luaL_loadstring(state, kTurns) == 0) {
    lua_pushcfunction(state, snap_turn);
    lua_call(state, 1, 0);
  }
  return 0;
}

int line_of(lua_State* running) {
  lua_Debug level;
  return lua_getstack(running, 0, &level) != 0 && lua_getinfo(running, "l", &level) != 0 ? level.currentline : -1;
}

// A hook at the first instruction of a line: the word of the native stack which, moved back by one instruction, moves
// the line is the one. What points close to it is the frame.
__attribute__((no_sanitize("address", "thread"))) void find_next_slot(lua_State* running, lua_Debug*) {
  constexpr std::size_t kStackWords = 256;
  constexpr std::size_t kStateWords = 32;
  constexpr std::ptrdiff_t kNear = 256;  // bytes
  const int line = line_of(running);
  if (line < 2) {
    return;  // there is none before
  }
  auto* const stack = static_cast<volatile std::uintptr_t*>(__builtin_frame_address(0));
  for (std::size_t i = 1; i < kStackWords && Layout::next_offset == 0; ++i) {
    const std::uintptr_t word = stack[i];
    if (word % Layout::kInstruction != 0 || word < 0x10000) {
      continue;
    }
    stack[i] = word - Layout::kInstruction;
    const int before = line_of(running);
    stack[i] = word;
    if (before != line - 1) {
      continue;
    }
    const auto slot = reinterpret_cast<std::intptr_t>(&stack[i]);
    for (std::size_t at = 0; at < kStateWords; ++at) {
      const auto frame = reinterpret_cast<std::intptr_t*>(running)[at] & ~static_cast<std::intptr_t>(kFrameFlags);
      if (std::abs(slot - frame) < kNear) {
        Layout::frame_offset = at * sizeof(std::uintptr_t);
        Layout::next_offset = slot - frame;
        break;
      }
    }
  }
  lua_sethook(running, nullptr, 0, 0);
}

// Whether a step back in another stack of another coroutine leads to the line before.
void check_next_slot(lua_State* running, lua_Debug*) {
  const int line = line_of(running);
  if (line < 3 || Layout::next_offset == 0) {
    return;
  }
  {
    const Safepoint::StepBack back(running);
    if (line_of(running) != line - 1) {
      Layout::next_offset = 0;
    }
  }
  lua_sethook(running, nullptr, 0, 0);
}

// The one place of those searched where `is_found` holds; 0 where there is none, or more than one.
template <typename IsFound>
std::size_t only_offset(std::size_t step, const IsFound& is_found) {
  std::size_t only = 0;
  std::size_t found = 0;
  for (std::size_t at = 0; at + step <= kSearched; at += step) {
    if (is_found(at)) {
      only = at;
      ++found;
    }
  }
  return found == 1 ? only : 0;
}

}  // namespace

// The first byte behind the main state that follows the hooks' mask.
bool SafepointLayout::find_mask(lua_State* main) {
  constexpr int kMasks[] = {0, LUA_MASKRET, LUA_MASKCALL, LUA_MASKCALL | LUA_MASKRET};
  std::uint8_t seen[4][kSearched];
  for (std::size_t i = 0; i < 4; ++i) {
    lua_sethook(
        main, [](lua_State*, lua_Debug*) {}, kMasks[i], 0);
    std::memcpy(seen[i], reinterpret_cast<const void*>(main), kSearched);
  }
  lua_sethook(main, nullptr, 0, 0);
  for (std::size_t at = 0; at < kSearched; ++at) {
    bool follows = true;
    for (std::size_t i = 0; i < 4; ++i) {
      follows = follows && seen[i][at] == static_cast<std::uint8_t>(kMasks[i]);
    }
    if (follows) {
      mask_offset = at;  // the first: the next one, if any, is derived from it
      return true;
    }
  }
  return false;
}

// The one word that names a native function in the first snapshot and a trace in the second.
bool SafepointLayout::find_state(lua_State* main) {
  static Snapshots taken;
  taken.main = main;
  snapshots = &taken;
  lua_cpcall(main, take_snapshots, nullptr);
  lua_settop(main, 0);
  state_offset = only_offset(sizeof(std::int32_t), [](std::size_t at) {
    std::int32_t native = 0;
    std::int32_t compiled = 0;
    std::memcpy(&native, taken.native + at, sizeof native);
    std::memcpy(&compiled, taken.compiled + at, sizeof compiled);
    return native == Safepoint::kNativeFunction && compiled > 0 && compiled < 100;
  });
  return state_offset != 0;
}

// The one byte that names the phases in which each was taken.
bool SafepointLayout::find_phase(lua_State* main) {
  constexpr std::uint8_t kPaused = 0;
  constexpr std::uint8_t kMarking = 1;
  static Phases taken;
  taken.main = main;
  phases = &taken;
  lua_cpcall(main, take_phases, nullptr);
  lua_settop(main, 0);
  phase_offset = only_offset(1, [](std::size_t at) {
    return taken.taken == 3 && taken.seen[0][at] == kFinalizing && taken.seen[1][at] == kPaused &&
           taken.seen[2][at] == kMarking;
  });
  return phase_offset != 0;
}

// The one word that names the main state, then one coroutine, then another that the first has resumed.
bool SafepointLayout::find_running(lua_State* main) {
  static Turns taken;
  taken.main = main;
  turns = &taken;
  lua_cpcall(main, take_turns, nullptr);
  lua_settop(main, 0);
  running_offset = only_offset(sizeof(std::uintptr_t), [](std::size_t at) {
    bool names_all = taken.taken == Turns::kTaken;
    for (int turn = 0; turn < Turns::kTaken; ++turn) {
      names_all = names_all && std::memcmp(taken.seen[turn] + at, &taken.running[turn], sizeof(lua_State*)) == 0;
    }
    return names_all;
  });
  return running_offset != 0;
}

lua_State* SafepointLayout::running(lua_State* main) {
  return *reinterpret_cast<lua_State* volatile*>(reinterpret_cast<char*>(main) + running_offset);
}

volatile std::uintptr_t* SafepointLayout::next_slot(lua_State* running) {
  const std::uintptr_t frame =
      *reinterpret_cast<std::uintptr_t*>(reinterpret_cast<char*>(running) + frame_offset) & ~kFrameFlags;
  return reinterpret_cast<volatile std::uintptr_t*>(frame + static_cast<std::uintptr_t>(next_offset));
}

bool SafepointLayout::find_next(lua_State* main) {
  constexpr const char* kLines = "local a = 1\na = a + 1\na = a + 2\na = a + 3\nreturn a";
  for (const lua_Hook hook : {find_next_slot, check_next_slot}) {
    lua_State* const coroutine = hook == find_next_slot ? main : lua_newthread(main);
    if (luaL_loadstring(coroutine, kLines) == 0) {
      lua_sethook(main, hook, LUA_MASKLINE, 0);
      hook == find_next_slot ? lua_pcall(coroutine, 0, 0, 0) : lua_resume(coroutine, 0);
    }
    lua_sethook(main, nullptr, 0, 0);
  }
  lua_settop(main, 0);
  return next_offset != 0;
}

}  // namespace perigee::script
