#include "script/safepoint.h"

#include <sys/time.h>

#include <lua.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "script/safepoint_layout.h"

namespace perigee::script {
namespace {

using Layout = SafepointLayout;

// Bits of a VM's hook mask beside those of lua_sethook (LuaJIT 2.1).
constexpr std::uint8_t kActive = 0x10;     // a hook or a finalizer runs: no other does
constexpr std::uint8_t kVmEvent = 0x20;    // the VM calls back: nothing may interfere
constexpr std::uint8_t kFinalizer = 0x40;  // the collector runs one
constexpr std::uint8_t kProfile = 0x80;    // compiled code goes back to the interpreter

constexpr std::int32_t kCollector = -3;  // below: the compiler

std::atomic<Safepoint::Look> look{nullptr};

volatile std::uint8_t& mask_of(lua_State* main) {
  return *(reinterpret_cast<volatile std::uint8_t*>(main) + Layout::mask_offset);
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

// LuaJIT writes what it raises to the top of the stack. Where a function in Lua runs it finds the top first; some of
// its own functions, tostring() for one, leave it where it was when they were called, and it may be below their frame.
bool has_room_for_error(lua_State* running) noexcept {
  lua_Debug frame;
  return lua_gettop(running) >= 0 || (lua_getstack(running, 0, &frame) != 0 && lua_getinfo(running, "S", &frame) != 0 &&
                                      std::string_view(frame.what) != "C");
}

Safepoint::Known calibrate_once() {
  profiler_owner = luaL_newstate();
  if (profiler_owner == nullptr) {
    return {};
  }
  Safepoint::Known known;
  known.interrupt = Safepoint::is_wanted("interrupt") && Layout::find_mask(profiler_owner);
  known.state = Safepoint::is_wanted("state") && Layout::find_state(profiler_owner);
  known.collector =
      Safepoint::is_wanted("collector") && Layout::find_phase(profiler_owner) && Layout::find_running(profiler_owner);
  known.instruction = Safepoint::is_wanted("instruction") && Layout::find_next(profiler_owner);
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
  if (Layout::mask_offset == 0) {
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
  if (Layout::mask_offset == 0 || state(main) < kCollector) {
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

Safepoint::StepBack::StepBack(lua_State* running) noexcept
    : slot_(Layout::next_offset != 0 ? Layout::next_slot(running) : nullptr) {
  if (slot_ != nullptr) {
    *slot_ = *slot_ - Layout::kInstruction;
  }
}

Safepoint::StepBack::~StepBack() {
  if (slot_ != nullptr) {
    *slot_ = *slot_ + Layout::kInstruction;
  }
}

void Safepoint::on_look(Look wanted) {
  look.store(wanted, std::memory_order_relaxed);
}

std::int32_t Safepoint::state(lua_State* main) noexcept {
  return Layout::state_offset == 0
             ? 0
             : *reinterpret_cast<volatile std::int32_t*>(reinterpret_cast<char*>(main) + Layout::state_offset);
}

bool Safepoint::finalizing(lua_State* main) noexcept {
  return Layout::mask_offset != 0 && (mask_of(main) & kFinalizer) != 0;
}

bool Safepoint::raises(lua_State* main) noexcept {
  const std::int32_t now = state(main);
  return (now == kInterpreter || now == kNativeFunction) && Layout::phase_offset != 0 && Layout::running_offset != 0 &&
         !finalizing(main) &&
         *(reinterpret_cast<volatile std::uint8_t*>(main) + Layout::phase_offset) != Layout::kFinalizing &&
         has_room_for_error(Layout::running(main));
}

void Safepoint::disarm(lua_State* main, Hook before, int mask, int count) noexcept {
  if (Layout::mask_offset != 0) {
    mask_of(main) = mask_of(main) & static_cast<std::uint8_t>(~kProfile);
  }
  lua_sethook(main, before, mask, count);
}

}  // namespace perigee::script
