#include "script/vm.h"

#include <lua.hpp>

#include <atomic>
#include <cassert>
#include <new>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/marks.h"
#include "client/stream_pool.h"
#include "profiler/thread_sampler.h"
#include "profiler/vm_meter.h"
#include "script/bind.h"
#include "script/collector_watch.h"
#include "script/http_asks.h"
#include "script/probe.h"
#include "state/shared_dictionaries.h"

namespace perigee::script {
namespace {

// Which VM this thread asked for last, and its allocator's context, which no other VM has: to ask the registry costs
// several times as much, and every function that Lua calls asks.
struct LastVm {
  void* context = nullptr;
  Vm* vm = nullptr;
};
thread_local LastVm last_vm;

// A task without a coroutine gets one when it is taken next.
void drop_coroutine(lua_State* state, Task& task) {
  luaL_unref(state, LUA_REGISTRYINDEX, task.coroutine_ref);
  task.coroutine = nullptr;
  task.coroutine_ref = LUA_NOREF;
}

}  // namespace

Vm::Vm(const VmSettings& settings) : settings_(settings), asks_(std::make_unique<HttpAsks>()) {
  static std::atomic<std::uint64_t> last{0};
  number_ = ++last;
}

Vm::~Vm() {
  if (state_ == nullptr) {
    return;
  }
  CollectorWatch::close(state_);
  last_vm = {};
  // Finalizers run; what the stay may stop is there until the main state, which is freed last.
  struct Closing {
    LuaAllocator& allocator;
    void* main;
    std::optional<Stay> stay;
  } closing{allocator_, state_, {}};
  closing.stay.emplace(governor_, settings_.limits.cpu, nullptr, __builtin_frame_address(0));
  lua_setallocf(
      state_,
      [](void* context, void* block, std::size_t old_size, std::size_t new_size) -> void* {
        auto& end = *static_cast<Closing*>(context);
        if (block == end.main) {
          end.stay.reset();
        }
        return LuaAllocator::allocate(&end.allocator, block, old_size, new_size);
      },
      &closing);
  lua_close(state_);
  last_vm = {};
}

// Runs `make` protected with `context`, as building Lua objects may raise, and may collect garbage. A finalizer of the
// program that happens to run may fail; then it has run, and `make` gets another chance.
bool Vm::protect(int (*make)(lua_State*), void* context) {
  constexpr int kTries = 3;
  int status = LUA_ERRERR;
  for (int i = 0; i < kTries && status != 0 && status != LUA_ERRMEM; ++i) {
    const Stay stay(governor_, settings_.limits.cpu);
    status = lua_cpcall(state_, make, context);
    if (status != 0) {
      lua_pop(state_, 1);
    }
  }
  return status == 0;
}

int Vm::new_coroutine(lua_State*& coroutine) {
  struct Made {
    lua_State* coroutine = nullptr;
    int ref = LUA_NOREF;
  } made;
  const bool built = protect(
      [](lua_State* state) {
        auto* out = static_cast<Made*>(lua_touserdata(state, 1));
        out->coroutine = lua_newthread(state);
        out->ref = luaL_ref(state, LUA_REGISTRYINDEX);
        return 0;
      },
      &made);
  if (!built) {
    throw std::bad_alloc();
  }
  coroutine = made.coroutine;
  return made.ref;
}

// One more for the pool, without a coroutine.
void Vm::add_task() {
  auto task = std::make_unique<Task>(*this);
  // The FFI pointer to the task's view, made by the library once and kept.
  struct Made {
    TaskView* view;
    int ref = LUA_NOREF;
  } made{&task->view, LUA_NOREF};
  const bool built = protect(
      [](lua_State* state) {
        auto* out = static_cast<Made*>(lua_touserdata(state, 1));
        lua_getfield(state, LUA_REGISTRYINDEX, "perigee.view_of_task");
        lua_pushlightuserdata(state, out->view);
        lua_call(state, 1, 1);
        out->ref = luaL_ref(state, LUA_REGISTRYINDEX);
        return 0;
      },
      &made);
  if (!built) {
    throw std::bad_alloc();
  }
  task->view_pointer = RawStack::kept(state_, made.ref);
  task->view.serial = ++last_serial_;
  task->view.number = static_cast<std::int32_t>(tasks_.size()) + 1;
  tasks_.push_back(std::move(task));
  free_.reserve(tasks_.size());
  free_.push_back(tasks_.back().get());
}

// One that can be taken.
[[gnu::noinline]] void Vm::make_task() {
  if (free_.empty()) {
    add_task();
  }
  if (Task& task = *free_.back(); task.coroutine == nullptr) {
    task.coroutine_ref = new_coroutine(task.coroutine);
  }
}

// What few tasks have to give back.
[[gnu::noinline]] void Vm::shed(Task& task) {
  if (task.ask != nullptr) {
    asks_->leave(task);
  }
  task.origin.reset();
  if (std::exchange(task.waiting_since, 0) != 0 && notes_waits_) {
    forget_wait(task);
  }
  if (free_.size() >= kKeptCoroutines && task.coroutine != nullptr) {
    drop_coroutine(state_, task);
  }
}

// The task ends in the middle of its wait.
void Vm::forget_wait(const Task& task) {
  if (auto* sampler = profiler::ThreadSampler::current(); sampler != nullptr) {
    sampler->waits().forget(&task);
  }
}

void Vm::renew_coroutine(Task& task) {
  if (fetches_) {
    fetches_->leave(task);
  }
  task.view.shielded = 0;
  errands_.leave(task);
  asks_->leave(task);
  lua_State* fresh = nullptr;
  int ref = LUA_NOREF;
  try {
    ref = new_coroutine(fresh);
  } catch (const std::bad_alloc&) {
    drop_coroutine(state_, task);
    throw;
  }
  luaL_unref(state_, LUA_REGISTRYINDEX, task.coroutine_ref);
  task.coroutine = fresh;
  task.coroutine_ref = ref;
}

void Vm::reclaim(Task& task) {
  drop_coroutine(state_, task);
  (void)protect(
      [](lua_State* state) {
        lua_gc(state, LUA_GCCOLLECT, 0);
        return 0;
      },
      nullptr);
}

void Vm::attach(Host& host) {
  host_ = &host;
  if (auto* sampler = profiler::ThreadSampler::current(); sampler != nullptr) {
    sample_allocations(sampler->samples_allocations());
    note_waits(sampler->waits().recording());
  }
}

void Vm::sample_allocations(bool on) {
  if (!tallied_) {
    lua_setallocf(state_, on ? &LuaAllocator::allocate_sampled : &LuaAllocator::allocate, &allocator_);
  }
}

void Vm::end_wait(Task& task, std::int32_t route) {
  const std::int64_t began = std::exchange(task.waiting_since, 0);
  const auto site = static_cast<std::uint32_t>(std::exchange(task.view.site, 0));
  if (began == 0) {
    return;
  }
  const std::int64_t now = monotonic_ns();
  if (settings_.meter != nullptr) {
    settings_.meter->waits.add(site, now - began);
  }
  if (notes_waits_) {
    if (auto* sampler = profiler::ThreadSampler::current(); sampler != nullptr) {
      sampler->waits().end(&task, {began, now, site, route, {}});
    }
  }
}

void Vm::note_lasting_waits(const std::function<std::int32_t(const Task& task)>& route_of) {
  auto* sampler = profiler::ThreadSampler::current();
  for (const auto& task : tasks_) {
    if (sampler != nullptr && task->waiting_since != 0) {
      sampler->waits().begin(task.get(),
                             {task->waiting_since, 0, static_cast<std::uint32_t>(task->view.site), route_of(*task),
                              Probe::stack_of(*sampler, task->coroutine, task->coroutine)});
    }
  }
}

Vm::Status Vm::resume(Task& task, int arguments) {
  Task* const outer = current_;
  const Stage stage = marks.stage;
  current_ = &task;
  view_.current = &task.view;
  task.waiting = false;
  task.running = true;
  marks.stage = Stage::kLua;
  int status = 0;
  {
    const Stay stay(governor_, task.cpu_left, &task);
    status = lua_resume(task.coroutine, arguments);
  }
  marks.stage = stage;
  task.running = false;
  current_ = outer;
  view_.current = outer != nullptr ? &outer->view : nullptr;
  if (status == 0) [[likely]] {
    return Status::kReturned;
  }
  if (status != LUA_YIELD) {
    starved_ = starved_ || status == LUA_ERRMEM;
    return Status::kFailed;
  }
  task.waiting_since = monotonic_ns();
  return Status::kYielded;
}

client::StreamPool& Vm::socket_pool() {
  if (!socket_pool_) {
    socket_pool_ = std::make_unique<client::StreamPool>();
  }
  return *socket_pool_;
}

Fetches& Vm::fetches() {
  if (!fetches_) {
    fetches_ = std::make_unique<Fetches>(host().shared().flights());
  }
  return *fetches_;
}

void Vm::make_ready(Task& task) {
  if (task.waiting && !task.ready) {
    task.ready = true;
    task.stop_timer();
    ready_.push_back(&task);
  }
}

void Vm::cancel(Task& task, CancelReason reason) {
  if (task.view.cancelled == 0) {
    task.view.cancelled = static_cast<std::int32_t>(reason);
    if (task.view.shielded == 0) {
      make_ready(task);
    }
  }
}

void Vm::retire() {
  view_.retired = 1;
  for (const auto& task : tasks_) {
    if (task->view.ticking != 0) {
      make_ready(*task);
    }
  }
}

void Vm::cancel_all(CancelReason reason) {
  for (const auto& task : tasks_) {
    if (task->waiting) {
      cancel(*task, reason);
    }
  }
}

std::vector<Task*> Vm::take_ready() {
  return std::exchange(ready_, {});
}

std::size_t Vm::heap_bytes() const {
  return (static_cast<std::size_t>(lua_gc(state_, LUA_GCCOUNT, 0)) << 10) +
         static_cast<std::size_t>(lua_gc(state_, LUA_GCCOUNTB, 0));
}

Vm& Vm::of(lua_State* state) {
  void* context = nullptr;
  (void)lua_getallocf(state, &context);
  if (last_vm.context != context) {
    lua_pushlightuserdata(state, &RegistryKeys::vm);
    lua_rawget(state, LUA_REGISTRYINDEX);
    last_vm = {context, static_cast<Vm*>(lua_touserdata(state, -1))};
    lua_pop(state, 1);
  }
  return *last_vm.vm;
}

}  // namespace perigee::script
