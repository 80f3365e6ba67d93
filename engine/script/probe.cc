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
#include "script/trace_exit.h"
#include "script/trace_places.h"

namespace perigee::script {
namespace {

using profiler::RawSample;
using profiler::ThreadSampler;

lua_State* main_of(void* guest) noexcept {
  return static_cast<Governor*>(guest)->main();
}

std::int32_t state_of(void* guest) noexcept {
  return Safepoint::state(main_of(guest));
}

bool interprets(void* guest) noexcept {
  return TraceExit::interprets(main_of(guest));
}

// The stay is noted, so that its end gives the stack if no instruction comes first.
bool ask(void* guest) noexcept {
  pulse.noted.store(true, std::memory_order_relaxed);
  return Safepoint::nudge(main_of(guest));
}

// The same with a LuaJIT of which compiled code can't be brought back: at the next instruction that is interpreted.
bool ask_interpreter(void* guest) noexcept {
  pulse.noted.store(true, std::memory_order_relaxed);
  static_cast<Governor*>(guest)->order_look();
  return true;
}

bool may_be_compiled(void* guest, std::uintptr_t address) noexcept {
  return static_cast<Governor*>(guest)->traces()->may_hold(address);
}

// Which trace it was, if any; what was none is the instruction before the one that the stack is read at.
void settle(RawSample& sample) noexcept {
  const TracePlaces& traces = *static_cast<Governor*>(pulse.guest)->traces();
  if (sample.vm_state == 0) {
    sample.vm_state = traces.number_at(sample.machine_code);
    sample.in_call = sample.vm_state == 0;
  }
  sample.late = sample.vm_state > 0;
  if (const TracePlaces::Place* start = sample.late ? traces.start_of(sample.vm_state) : nullptr; start != nullptr) {
    sample.trace = ThreadSampler::current()->places().id(start->source, "", start->line, start->first_line);
  }
}

std::uint32_t place_at(ThreadSampler& sampler, lua_State* running, lua_Debug& level) noexcept {
  if (lua_getinfo(running, "Sln", &level) == 0) {
    return 0;
  }
  const char* const name = level.name != nullptr ? level.name : "";
  return sampler.places().id(level.source, name, level.currentline, level.linedefined);
}

// Appends the places of a stack, the innermost first, from `from` on; returns how many there are then.
std::size_t read_stack(ThreadSampler& sampler, lua_State* state, int from, std::span<std::uint32_t> room,
                       std::size_t count) noexcept {
  lua_Debug level;
  for (int at = from; count < room.size() && lua_getstack(state, at, &level) != 0; ++at) {
    room[count++] = place_at(sampler, state, level);
  }
  return count;
}

// The place of the instruction before the one that `running` is at.
std::uint32_t place_before(ThreadSampler& sampler, lua_State* running) noexcept {
  const Safepoint::StepBack back(running);
  lua_Debug level;
  return lua_getstack(running, 0, &level) != 0 ? place_at(sampler, running, level) : 0;
}

}  // namespace

void Probe::install() {
  TraceExit::calibrate();
  const bool reaches_all = Safepoint::calibrate().interrupt;
  profiler::set_vm_probe(reaches_all
                             ? profiler::VmProbe{state_of, ask, nullptr, nullptr, interprets}
                             : profiler::VmProbe{state_of, ask_interpreter, settle, may_be_compiled, interprets});
  Safepoint::on_look(look);
}

void Probe::look(lua_State* running) noexcept {
  ThreadSampler* const sampler = ThreadSampler::current();
  if (sampler == nullptr || !sampler->wants_script_stack()) {
    return;
  }
  std::array<std::uint32_t, profiler::RawSample::kMostPlaces> places{};
  const std::size_t count = read_stack(*sampler, running, 0, places, 0);
  const std::uint32_t before = count > 0 ? place_before(*sampler, running) : 0;
  const bool is_before_line = pulse.guest != nullptr && TraceExit::is_before_line(main_of(pulse.guest));
  sampler->take_script_stack(std::span(places).first(count), {before, is_before_line ? before : places[0]});
}

void Probe::look_at_end(lua_State* left) noexcept {
  ThreadSampler* const sampler = ThreadSampler::current();
  if (sampler == nullptr || !sampler->wants_script_stack()) {
    return;
  }
  std::array<std::uint32_t, profiler::RawSample::kMostPlaces> places{};
  const std::size_t count = read_stack(*sampler, left, 0, places, 0);
  sampler->take_script_stack(std::span(places).first(count), {places[0], places[0]});
}

std::vector<std::uint32_t> Probe::stack_of(ThreadSampler& sampler, lua_State* inner, lua_State* outer) {
  std::array<std::uint32_t, profiler::RawSample::kMostPlaces> places;
  std::size_t count = read_stack(sampler, inner, 0, places, 0);
  if (outer != inner) {
    count = read_stack(sampler, outer, 0, places, count);
  }
  return {places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace perigee::script
