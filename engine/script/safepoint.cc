#include "script/safepoint.h"

#include <sys/time.h>

#include <lua.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace perigee::script {
namespace {

// Bits of a VM's hook mask beside those of lua_sethook (LuaJIT 2.1).
constexpr std::uint8_t kActive = 0x10;     // a hook or a finalizer runs: no other does
constexpr std::uint8_t kVmEvent = 0x20;    // the VM calls back: nothing may interfere
constexpr std::uint8_t kFinalizer = 0x40;  // the collector runs one
constexpr std::uint8_t kProfile = 0x80;    // compiled code goes back to the interpreter

constexpr std::int32_t kCollector = -3;  // below: the compiler

constexpr std::uint8_t kFinalizing = 5;  // the collector's last phase: finalizers, one after the other

constexpr std::size_t kSearched = 1024;  // bytes of a VM's state behind its main lua_State

std::size_t mask_offset = 0;   // from the main lua_State; 0 while it is not known
std::size_t state_offset = 0;  // likewise
std::size_t phase_offset = 0;  // likewise: of the collector

// Where a running coroutine keeps the address of its next instruction: at an offset from what a word of its lua_State
// points to, which is a frame of the native stack. 0: not known.
std::size_t frame_offset = 0;
std::ptrdiff_t next_offset = 0;
constexpr std::uintptr_t kInstruction = 4;  // bytes
constexpr std::uintptr_t kFrameFlags = 3;   // bits of the pointer that are none of the address

std::atomic<Safepoint::Look> look{nullptr};

volatile std::uint8_t& mask_of(lua_State* main) {
  return *(reinterpret_cast<volatile std::uint8_t*>(main) + mask_offset);
}

// Of a VM whose main state this is, whether the byte at `offset` follows the hook's mask.
bool find_mask(lua_State* main) {
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

// The one word that names a native function in the first snapshot and a trace in the second.
bool find_state(lua_State* main) {
  static Snapshots taken;
  taken.main = main;
  snapshots = &taken;
  lua_cpcall(main, take_snapshots, nullptr);
  lua_settop(main, 0);
  std::size_t found = 0;
  for (std::size_t at = 0; at + sizeof(std::int32_t) <= kSearched; at += sizeof(std::int32_t)) {
    std::int32_t native = 0;
    std::int32_t compiled = 0;
    std::memcpy(&native, taken.native + at, sizeof native);
    std::memcpy(&compiled, taken.compiled + at, sizeof compiled);
    if (native == Safepoint::kNativeFunction && compiled > 0 && compiled < 100) {
      state_offset = at;
      ++found;
    }
  }
  if (found != 1) {
    state_offset = 0;
  }
  return state_offset != 0;
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

// The one byte that names the phases in which each was taken.
bool find_phase(lua_State* main) {
  constexpr std::uint8_t kPaused = 0;
  constexpr std::uint8_t kMarking = 1;
  static Phases taken;
  taken.main = main;
  phases = &taken;
  lua_cpcall(main, take_phases, nullptr);
  lua_settop(main, 0);
  std::size_t found = 0;
  for (std::size_t at = 0; taken.taken == 3 && at < kSearched; ++at) {
    if (taken.seen[0][at] == kFinalizing && taken.seen[1][at] == kPaused && taken.seen[2][at] == kMarking) {
      phase_offset = at;
      ++found;
    }
  }
  if (found != 1) {
    phase_offset = 0;
  }
  return phase_offset != 0;
}

int line_of(lua_State* running) {
  lua_Debug level;
  return lua_getstack(running, 0, &level) != 0 && lua_getinfo(running, "l", &level) != 0 ? level.currentline : -1;
}

volatile std::uintptr_t* next_slot(lua_State* running) {
  const std::uintptr_t frame =
      *reinterpret_cast<std::uintptr_t*>(reinterpret_cast<char*>(running) + frame_offset) & ~kFrameFlags;
  return reinterpret_cast<volatile std::uintptr_t*>(frame + static_cast<std::uintptr_t>(next_offset));
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
  for (std::size_t i = 1; i < kStackWords && next_offset == 0; ++i) {
    const std::uintptr_t word = stack[i];
    if (word % kInstruction != 0 || word < 0x10000) {
      continue;
    }
    stack[i] = word - kInstruction;
    const int before = line_of(running);
    stack[i] = word;
    if (before != line - 1) {
      continue;
    }
    const auto slot = reinterpret_cast<std::intptr_t>(&stack[i]);
    for (std::size_t at = 0; at < kStateWords; ++at) {
      const auto frame = reinterpret_cast<std::intptr_t*>(running)[at] & ~static_cast<std::intptr_t>(kFrameFlags);
      if (std::abs(slot - frame) < kNear) {
        frame_offset = at * sizeof(std::uintptr_t);
        next_offset = slot - frame;
        break;
      }
    }
  }
  lua_sethook(running, nullptr, 0, 0);
}

// Whether a step back in another stack of another coroutine leads to the line before.
void check_next_slot(lua_State* running, lua_Debug*) {
  const int line = line_of(running);
  if (line < 3 || next_offset == 0) {
    return;
  }
  {
    const Safepoint::StepBack back(running);
    if (line_of(running) != line - 1) {
      next_offset = 0;
    }
  }
  lua_sethook(running, nullptr, 0, 0);
}

bool find_next(lua_State* main) {
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

// A VM that does nothing but hold the profiler of this process. It is never closed: others may be in its callback.
lua_State* profiler_owner = nullptr;

// Takes the profiler, then takes its timer and its signal away again.
void own_profiler() {
  struct sigaction before {};
  sigaction(SIGPROF, nullptr, &before);
  luaJIT_profile_start(
      profiler_owner, "i2000000000",
      [](void*, lua_State* running, int, int) {
        if (const Safepoint::Look found = look.load(std::memory_order_relaxed); found != nullptr) {
          found(running);
        }
      },
      nullptr);
  const itimerval never{};
  setitimer(ITIMER_PROF, &never, nullptr);
  sigaction(SIGPROF, &before, nullptr);
}

Safepoint::Known calibrate_once() {
  profiler_owner = luaL_newstate();
  if (profiler_owner == nullptr) {
    return {};
  }
  Safepoint::Known known;
  known.interrupt = Safepoint::is_wanted("interrupt") && find_mask(profiler_owner);
  known.state = Safepoint::is_wanted("state") && find_state(profiler_owner);
  known.collector = Safepoint::is_wanted("collector") && find_phase(profiler_owner);
  known.instruction = Safepoint::is_wanted("instruction") && find_next(profiler_owner);
  if (known.interrupt) {
    own_profiler();
  }
  return known;
}

}  // namespace

const Safepoint::Known& Safepoint::calibrate() {
  static const Known known = calibrate_once();
  return known;
}

bool Safepoint::is_wanted(std::string_view part) {
  const char* const listed = std::getenv("PERIGEE_UNKNOWN_LUAJIT");
  std::string_view rest = listed != nullptr ? listed : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    if (rest.substr(0, end) == part) {
      return false;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return true;
}

void Safepoint::prepare(lua_State* main) {
  if (calibrate().interrupt) {
    luaJIT_profile_start(main, "l", nullptr, nullptr);  // the profiler is taken: this sets the mode and nothing else
  }
}

bool Safepoint::arm(lua_State* main, Hook hook) noexcept {
  if (mask_offset == 0) {
    lua_sethook(main, nullptr, 0, 0);  // off and on again, as below
    lua_sethook(main, hook, LUA_MASKCOUNT, 1);
    return true;
  }
  volatile std::uint8_t& mask = mask_of(main);
  if ((mask & kVmEvent) != 0) {
    return false;
  }
  // Off and on again: a change that this has interrupted, in the middle of the same tables, may have left them mixed.
  mask = mask & static_cast<std::uint8_t>(~(kProfile | kActive));
  lua_sethook(main, nullptr, 0, 0);
  mask = mask | kProfile;
  lua_sethook(main, hook, LUA_MASKCOUNT, 1);
  return true;
}

bool Safepoint::nudge(lua_State* main) noexcept {
  if (mask_offset == 0 || state(main) < kCollector) {
    return false;
  }
  volatile std::uint8_t& mask = mask_of(main);
  if ((mask & (kVmEvent | kFinalizer)) != 0) {
    return false;
  }
  // Setting the hook that is there already has the VM look at its mask; off and on as in arm().
  mask = mask & static_cast<std::uint8_t>(~kProfile);
  lua_sethook(main, lua_gethook(main), lua_gethookmask(main), lua_gethookcount(main));
  mask = mask | kProfile;
  lua_sethook(main, lua_gethook(main), lua_gethookmask(main), lua_gethookcount(main));
  return true;
}

Safepoint::StepBack::StepBack(lua_State* running) noexcept : slot_(next_offset != 0 ? next_slot(running) : nullptr) {
  if (slot_ != nullptr) {
    *slot_ = *slot_ - kInstruction;
  }
}

Safepoint::StepBack::~StepBack() {
  if (slot_ != nullptr) {
    *slot_ = *slot_ + kInstruction;
  }
}

void Safepoint::on_look(Look wanted) {
  look.store(wanted, std::memory_order_relaxed);
}

std::int32_t Safepoint::state(lua_State* main) noexcept {
  return state_offset == 0 ? 0
                           : *reinterpret_cast<volatile std::int32_t*>(reinterpret_cast<char*>(main) + state_offset);
}

bool Safepoint::finalizing(lua_State* main) noexcept {
  return mask_offset != 0 && (mask_of(main) & kFinalizer) != 0;
}

bool Safepoint::raises(lua_State* main) noexcept {
  const std::int32_t now = state(main);
  return (now == kInterpreter || now == kNativeFunction) && phase_offset != 0 && !finalizing(main) &&
         *(reinterpret_cast<volatile std::uint8_t*>(main) + phase_offset) != kFinalizing;
}

void Safepoint::disarm(lua_State* main, Hook before, int mask, int count) noexcept {
  if (mask_offset != 0) {
    mask_of(main) = mask_of(main) & static_cast<std::uint8_t>(~kProfile);
  }
  lua_sethook(main, before, mask, count);
}

}  // namespace perigee::script
