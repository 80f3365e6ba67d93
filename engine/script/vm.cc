#include "script/vm.h"

#include <lua.hpp>

#include <cassert>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/marks.h"
#include "client/stream_pool.h"
#include "profiler/thread_sampler.h"
#include "profiler/vm_meter.h"
#include "script/bind.h"
#include "script/collection_counter.h"
#include "script/lua_library.h"
#include "script/probe.h"
#include "state/shared_dictionaries.h"

namespace perigee::script {
namespace {

constexpr std::size_t kKeptCoroutines = 4096;

// Pushes the library's loader of one embedded module (upvalue 1: its number).
int load_module(lua_State* state) {
  const LuaModule& module = lua_library()[static_cast<std::size_t>(lua_tointeger(state, lua_upvalueindex(1)))];
  if (module.chunk.empty()) {
    lua_pushlstring(state, module.source.data(), module.source.size());
    return 1;
  }
  const std::string chunk(module.chunk);
  if (luaL_loadbufferx(state, module.source.data(), module.source.size(), chunk.c_str(), "t") != 0) {
    return lua_error(state);
  }
  lua_call(state, 0, 1);
  return 1;
}

int core_module(lua_State* state) {
  lua_newtable(state);
  bind_answer(state);
  bind_body(state);
  bind_compress(state);
  bind_errors(state);
  bind_form(state);
  bind_file(state);
  bind_json(state);
  bind_request(state);
  bind_task(state);
  bind_system(state);
  bind_crypto(state);
  bind_types(state);
  bind_session(state);
  bind_test(state);
  bind_shared(state);
  bind_socket(state);
  bind_http(state);
  bind_channel(state);
  return 1;
}

void preload(lua_State* state) {
  lua_getglobal(state, "package");
  lua_getfield(state, -1, "preload");
  const auto& modules = lua_library();
  for (std::size_t i = 0; i < modules.size(); ++i) {
    lua_pushinteger(state, static_cast<lua_Integer>(i));
    lua_pushcclosure(state, load_module, 1);
    lua_setfield(state, -2, std::string(modules[i].name).c_str());
  }
  lua_pushcfunction(state, core_module);
  lua_setfield(state, -2, "perigee.core");
  lua_pop(state, 2);
}

int traceback(lua_State* state) {
  if (lua_isstring(state, 1) != 0) {
    luaL_traceback(state, state, lua_tostring(state, 1), 1);
  }
  return 1;
}

// Everything that opens a VM and may raise; runs below lua_cpcall.
int open_protected(lua_State* state) {
  if (auto* meter = static_cast<profiler::VmMeter*>(lua_touserdata(state, 1)); meter != nullptr) {
    count_collections(state, meter->collections);
  }
  luaL_openlibs(state);
  preload(state);
  lua_getglobal(state, "require");
  lua_pushliteral(state, "perigee.boot");
  lua_call(state, 1, 0);
  return 0;
}

std::string error_text(lua_State* state) {
  if (lua_istable(state, -1)) {  // the loader's own mistakes: a table of one string
    lua_rawgeti(state, -1, 1);
    lua_replace(state, -2);
  }
  const char* text = lua_tostring(state, -1);
  return text != nullptr ? text : "(an error that is no string)";
}

// Runs `require "perigee.loader"[name](argument)` protected, one result left on the stack.
bool call_loader(lua_State* state, const char* name, const char* argument) {
  lua_settop(state, 0);
  lua_pushcfunction(state, traceback);
  lua_getglobal(state, "require");
  lua_pushliteral(state, "perigee.loader");
  if (lua_pcall(state, 1, 1, 1) != 0) {
    return false;
  }
  lua_getfield(state, -1, name);
  lua_pushstring(state, argument);
  return lua_pcall(state, 1, 1, 1) == 0;
}

std::string string_field(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  std::size_t size = 0;
  const char* text = lua_tolstring(state, -1, &size);
  std::string value = text != nullptr ? std::string(text, size) : std::string();
  lua_pop(state, 1);
  return value;
}

double number_field(lua_State* state, const char* name, double absent) {
  lua_getfield(state, -1, name);
  const double value = lua_isnumber(state, -1) != 0 ? lua_tonumber(state, -1) : absent;
  lua_pop(state, 1);
  return value;
}

bool boolean_field(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  const bool value = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return value;
}

// A task without a coroutine gets one when it is taken next.
void drop_coroutine(lua_State* state, Task& task) {
  luaL_unref(state, LUA_REGISTRYINDEX, task.coroutine_ref);
  task.coroutine = nullptr;
  task.coroutine_ref = LUA_NOREF;
}

int ref_field(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  return luaL_ref(state, LUA_REGISTRYINDEX);
}

}  // namespace

Vm::Vm(const VmSettings& settings) : settings_(settings) {}

Vm::~Vm() {
  if (state_ == nullptr) {
    return;
  }
  // Finalizers run; what the stay may stop is there until the main state, which is freed last.
  struct Closing {
    LuaAllocator& allocator;
    void* main;
    Stay stay;
  } closing{allocator_, state_, {governor_, settings_.limits.cpu}};
  lua_setallocf(
      state_,
      [](void* context, void* block, std::size_t old_size, std::size_t new_size) -> void* {
        auto& end = *static_cast<Closing*>(context);
        if (block == end.main) {
          end.stay.end(nullptr);
        }
        return LuaAllocator::allocate(&end.allocator, block, old_size, new_size);
      },
      &closing);
  lua_close(state_);
}

std::unique_ptr<Vm> Vm::load(const VmSettings& settings, std::vector<std::string>& mistakes) {
  std::unique_ptr<Vm> vm(new Vm(settings));
  if (auto opened = vm->open(); !opened) {
    mistakes.push_back(opened.error().message);
    return nullptr;
  }
  return vm->load_app(mistakes) ? std::move(vm) : nullptr;
}

Result<> Vm::open() {
  state_ = lua_newstate(settings_.count_allocations ? &LuaAllocator::allocate_counted : &LuaAllocator::allocate,
                        &allocator_);
  if (state_ == nullptr) {
    return fail("out of memory for a Lua VM");
  }
  governor_.open(state_);
  lua_pushlightuserdata(state_, &RegistryKeys::vm);
  lua_pushlightuserdata(state_, this);
  lua_rawset(state_, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(state_, &view_);
  lua_setfield(state_, LUA_REGISTRYINDEX, "perigee.vm_view");
  if (lua_cpcall(
          state_, [](lua_State* state) { return open_protected(state); }, settings_.meter) != 0) {
    return fail("the Lua library does not load: " + error_text(state_));
  }
  if (settings_.coverage != nullptr) {
    coverage_ = std::make_unique<Coverage>(*settings_.coverage);
    coverage_->watch(state_);
  }
  return {};
}

bool Vm::load_app(std::vector<std::string>& mistakes) {
  const Stay stay(governor_, settings_.limits.load_left);
  if (!call_loader(state_, "configure", settings_.config_json.c_str()) ||
      !call_loader(state_, "load", settings_.app_path.c_str())) {
    mistakes.push_back(error_text(state_));
    return false;
  }
  // On the stack: a table that describes the app (lua/perigee/loader.lua).
  router_.set_custom_types(list_field("custom_types"));
  mistakes = list_field("mistakes");
  read_routes(mistakes);
  has_after_ = boolean_field(state_, "has_after");
  has_error_hook_ = boolean_field(state_, "has_error");
  has_refusal_hook_ = boolean_field(state_, "has_refusal");
  has_start_hooks_ = boolean_field(state_, "has_start");
  has_stop_hooks_ = boolean_field(state_, "has_stop");
  read_entries();
  lua_settop(state_, 0);
  return mistakes.empty();
}

// A field of the table on top of the stack, a list of strings.
std::vector<std::string> Vm::list_field(const char* name) {
  std::vector<std::string> list;
  lua_getfield(state_, -1, name);
  const auto count = static_cast<int>(lua_objlen(state_, -1));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state_, -1, i);
    list.emplace_back(lua_tostring(state_, -1));
    lua_pop(state_, 1);
  }
  lua_pop(state_, 1);
  return list;
}

std::string Vm::description(const char* name) {
  const Stay stay(governor_, settings_.limits.load);
  const bool called = call_loader(state_, name, "");
  std::string text = called ? lua_tostring(state_, -1) : error_text(state_);
  lua_settop(state_, 0);
  if (!called) {
    log_event(LogLevel::kError, std::string(name) + ": " + text);
    return "{}";
  }
  return text;
}

void Vm::read_routes(std::vector<std::string>& mistakes) {
  lua_getfield(state_, -1, "routes");
  const auto count = static_cast<int>(lua_objlen(state_, -1));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state_, -1, i);
    RouteInfo route;
    route.method = string_field(state_, "method");
    route.pattern = string_field(state_, "pattern");
    route.place = string_field(state_, "place");
    route.types = string_field(state_, "types");
    route.body_limit = static_cast<std::int64_t>(number_field(state_, "body_limit", -1));
    route.time_limit = number_field(state_, "time_limit", -1);
    const double cpu = number_field(state_, "cpu_limit", -1);
    const double memory = number_field(state_, "memory_limit", -1);
    route.memory_limit = memory < 0 ? settings_.limits.memory : bytes_limit(memory);
    route.cpu_limit = cpu < 0 ? settings_.limits.cpu : nanoseconds_limit(cpu);
    route.handler_ref = ref_field(state_, "enter");
    if (auto added = router_.add(route.method, route.pattern, i - 1, route.place); !added) {
      mistakes.push_back(added.error().message);
    }
    routes_.push_back(std::move(route));
    lua_pop(state_, 1);
  }
  lua_pop(state_, 1);
}

void Vm::read_entries() {
  lua_getfield(state_, -1, "entries");
  entries_.answer = ref_field(state_, "answer");
  entries_.failed = ref_field(state_, "failed");
  entries_.render = ref_field(state_, "render");
  entries_.refuse = ref_field(state_, "refuse");
  entries_.stream = ref_field(state_, "stream");
  entries_.run_deferred = ref_field(state_, "run_deferred");
  entries_.after = ref_field(state_, "after");
  entries_.hook = ref_field(state_, "hook");
  entries_.save = ref_field(state_, "save");
  entries_.stray_yield = ref_field(state_, "stray_yield");
  lua_pop(state_, 1);
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

Task& Vm::take_task() {
  if (free_.empty()) {
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
    task->view_ref = made.ref;
    tasks_.push_back(std::move(task));
    free_.reserve(tasks_.size());
    free_.push_back(tasks_.back().get());
  }
  Task& task = *free_.back();
  if (task.coroutine == nullptr) {
    task.coroutine_ref = new_coroutine(task.coroutine);
  }
  free_.pop_back();
  ++busy_;
  task.view.serial = ++last_serial_;
  task.cpu_limit = task.cpu_left = settings_.limits.cpu;
  return task;
}

void Vm::give_task(Task& task) {
  task.stop_timer();
  if (task.coroutine != nullptr) [[likely]] {
    lua_settop(task.coroutine, 0);
  }
  task.view.request = nullptr;
  task.view.serial = ++last_serial_;
  task.view.cancelled = 0;
  task.view.deferred = 0;
  task.view.wants_room = 0;
  task.view.wants_body = 0;
  task.view.shielded = 0;
  task.view.ticking = 0;
  task.view.session = 0;
  task.exchange = nullptr;
  task.origin.reset();
  task.purpose = Task::Purpose::kRequest;
  task.phase = Task::Phase::kHandler;
  if (std::exchange(task.waiting_since, 0) != 0 && view_.notes_waits != 0) {
    forget_wait(task);
  }
  task.waiting = task.ready = task.answering_error = false;
  task.default_status = 200;
  --busy_;
  if (free_.size() >= kKeptCoroutines && task.coroutine != nullptr) {
    luaL_unref(state_, LUA_REGISTRYINDEX, task.coroutine_ref);
    task.coroutine = nullptr;
  }
  free_.push_back(&task);
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
  if (!settings_.count_allocations) {
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
  if (view_.notes_waits != 0) {
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
  Stay stay(governor_, task.cpu_left);
  const int status = lua_resume(task.coroutine, arguments);
  stay.end(&task);
  marks.stage = stage;
  task.running = false;
  current_ = outer;
  view_.current = outer != nullptr ? &outer->view : nullptr;
  starved_ = starved_ || status == LUA_ERRMEM;
  if (status == 0) {
    return Status::kReturned;
  }
  if (status != LUA_YIELD) {
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
  lua_pushlightuserdata(state, &RegistryKeys::vm);
  lua_rawget(state, LUA_REGISTRYINDEX);
  auto* vm = static_cast<Vm*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return *vm;
}

}  // namespace perigee::script
