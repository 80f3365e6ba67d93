#include "script/waiting.h"

#include <lua.hpp>

#include "base/clock.h"
#include "profiler/thread_sampler.h"
#include "script/bind.h"
#include "script/probe.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// The task is about to wait, and somebody wants to know where.
void note_wait(lua_State* state, const Task& task) {
  if (auto* sampler = profiler::ThreadSampler::current(); sampler != nullptr) {
    sampler->waits().begin(&task, {monotonic_ns(), 0, static_cast<std::uint32_t>(task.view.site),
                                   profiler::ThreadSampler::route(), Probe::stack_of(*sampler, state, task.coroutine)});
  }
}

}  // namespace

bool can_wait(lua_State* state, const Vm& vm) {
  return vm.current() != nullptr && lua_isyieldable(state) != 0;
}

int wait_for(lua_State* state, const Vm& vm, std::int32_t site) {
  Task& task = *vm.current();
  task.view.site = site;
  if (vm.notes_waits()) {
    note_wait(state, task);
  }
  lua_pushlightuserdata(state, &RegistryKeys::wait);
  return lua_yield(state, 1);
}

}  // namespace perigee::script
