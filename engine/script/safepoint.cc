#include "script/safepoint.h"

#include <sys/time.h>

#include <lua.hpp>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace perigee::script {
namespace {

// Bits of a VM's hook mask beside those of lua_sethook (LuaJIT 2.1).
constexpr std::uint8_t kActive = 0x10;   // a hook or a finalizer runs: no other does
constexpr std::uint8_t kVmEvent = 0x20;  // the VM calls back: nothing may interfere
constexpr std::uint8_t kProfile = 0x80;  // compiled code goes back to the interpreter

constexpr std::size_t kSearched = 1024;  // bytes of a VM's state behind its main lua_State

std::size_t mask_offset = 0;  // from the main lua_State; 0 while it is not known

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

// A VM that does nothing but hold the profiler of this process. It is never closed: others may be in its callback.
lua_State* profiler_owner = nullptr;

// Takes the profiler, then takes its timer and its signal away again.
void own_profiler() {
  struct sigaction before {};
  sigaction(SIGPROF, nullptr, &before);
  luaJIT_profile_start(
      profiler_owner, "i2000000000", [](void*, lua_State*, int, int) {}, nullptr);
  const itimerval never{};
  setitimer(ITIMER_PROF, &never, nullptr);
  sigaction(SIGPROF, &before, nullptr);
}

Result<> calibrate_once() {
  profiler_owner = luaL_newstate();
  if (profiler_owner == nullptr) {
    return fail("out of memory for a Lua VM");
  }
  if (!find_mask(profiler_owner)) {
    return fail("this LuaJIT is an unknown one: compiled code that never ends can't be stopped");
  }
  own_profiler();
  return {};
}

}  // namespace

Result<> Safepoint::calibrate() {
  static const Result<> done = calibrate_once();
  return done;
}

void Safepoint::prepare(lua_State* main) {
  if (calibrate()) {
    luaJIT_profile_start(main, "l", nullptr, nullptr);  // the profiler is taken: this sets the mode and nothing else
  }
}

bool Safepoint::arm(lua_State* main, Hook hook) noexcept {
  if (mask_offset == 0) {
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

void Safepoint::disarm(lua_State* main, Hook before, int mask, int count) noexcept {
  if (mask_offset != 0) {
    mask_of(main) = mask_of(main) & static_cast<std::uint8_t>(~kProfile);
  }
  lua_sethook(main, before, mask, count);
}

}  // namespace perigee::script
