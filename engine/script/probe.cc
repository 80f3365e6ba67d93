#include "script/probe.h"

#include <array>
#include <cstdint>
#include <lua.hpp>
#include <span>
#include <string_view>

#include "base/pulse.h"
#include "profiler/thread_sampler.h"
#include "script/governor.h"
#include "script/safepoint.h"

namespace perigee::script {
namespace {

using profiler::ThreadSampler;

lua_State* main_of(void* guest) noexcept {
  return static_cast<Governor*>(guest)->main();
}

std::int32_t state_of(void* guest) noexcept {
  return Safepoint::state(main_of(guest));
}

// The stay is noted, so that its end gives the stack if no instruction comes first.
bool ask(void* guest) noexcept {
  pulse.noted.store(true, std::memory_order_relaxed);
  return Safepoint::nudge(main_of(guest));
}

std::uint32_t place_at(ThreadSampler& sampler, lua_State* running, lua_Debug& level) noexcept {
  if (lua_getinfo(running, "Sln", &level) == 0) {
    return 0;
  }
  return sampler.place(level.source, level.name != nullptr ? level.name : "", level.currentline, level.linedefined);
}

}  // namespace

void Probe::install() {
  profiler::set_vm_probe({state_of, ask});
  Safepoint::on_look(look);
}

void Probe::look(lua_State* running) noexcept {
  ThreadSampler* const sampler = ThreadSampler::current();
  if (sampler == nullptr || !sampler->wants_script_stack()) {
    return;
  }
  std::array<std::uint32_t, profiler::RawSample::kMostPlaces> places;
  std::size_t count = 0;
  lua_Debug level;
  while (count < places.size() && lua_getstack(running, static_cast<int>(count), &level) != 0) {
    places[count++] = place_at(*sampler, running, level);
  }
  sampler->take_script_stack(std::span(places).first(count));
}

}  // namespace perigee::script
