// How a VM comes to be: the library opened, the app loaded, and what the app describes taken over.

#include <lua.hpp>

#include <array>
#include <utility>

#include "base/log.h"
#include "profiler/vm_meter.h"
#include "script/bind.h"
#include "script/collector_watch.h"
#include "script/lua_library.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

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
  bind_job(state);
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

// Makes room in the registry for what the engine refers to there: routes, and two for each task. A table whose growth
// fails for want of memory may lose numbered entries (LuaJIT 2.1, lj_tab_resize), and so functions that are to be
// called.
void reserve_references(lua_State* state) {
  constexpr int kReserved = 512;
  std::array<int, kReserved> references;
  for (int& reference : references) {
    lua_pushboolean(state, 1);
    reference = luaL_ref(state, LUA_REGISTRYINDEX);
  }
  for (auto last = references.rbegin(); last != references.rend(); ++last) {
    luaL_unref(state, LUA_REGISTRYINDEX, *last);
  }
}

// Everything that opens a VM and may raise; runs below lua_cpcall.
int open_protected(lua_State* state) {
  reserve_references(state);
  luaL_openlibs(state);
  preload(state);
  lua_getglobal(state, "require");
  lua_pushliteral(state, "perigee.boot");
  lua_call(state, 1, 0);
  return 0;
}

int follow_traces(lua_State* state) {
  static_cast<Governor*>(lua_touserdata(state, 1))->follow_traces();
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

int ref_field(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  return luaL_ref(state, LUA_REGISTRYINDEX);
}

}  // namespace

std::unique_ptr<Vm> Vm::load(const VmSettings& settings, std::vector<std::string>& mistakes) {
  std::unique_ptr<Vm> vm(new Vm(settings));
  if (auto opened = vm->open(); !opened) {
    mistakes.push_back(opened.error().message);
    return nullptr;
  }
  return vm->load_app(mistakes) ? std::move(vm) : nullptr;
}

Result<> Vm::open() {
  RawTable::calibrate();
  RawStack::calibrate();
  if (settings_.allocations != nullptr) {
    tallied_.emplace(*settings_.allocations, allocator_);
  }
  if (allocator_.hold_reserve()) {
    state_ = lua_newstate(tallied_ ? &LuaAllocator::allocate_counted : &LuaAllocator::allocate, &allocator_);
  }
  allocator_.drop_reserve();
  if (state_ == nullptr) {
    return fail("out of memory for a Lua VM");
  }
  governor_.open(state_);
  lua_pushlightuserdata(state_, &RegistryKeys::vm);
  lua_pushlightuserdata(state_, this);
  lua_rawset(state_, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(state_, &view_);
  lua_setfield(state_, LUA_REGISTRYINDEX, "perigee.vm_view");
  if (lua_cpcall(state_, open_protected, nullptr) != 0) {
    return fail("the Lua library does not load: " + error_text(state_));
  }
  if (lua_cpcall(state_, follow_traces, &governor_) != 0) {
    return fail("the compiler can't be followed: " + error_text(state_));
  }
  if (settings_.meter != nullptr) {
    CollectorWatch::open(state_, settings_.meter);
    (void)begin_counting();
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

bool Vm::begin_counting() {
  return protect(
      [](lua_State* state) {
        static_cast<CollectionCounter*>(lua_touserdata(state, 1))->begin(state);
        return 0;
      },
      &collections_);
}

void Vm::count_collection() {
  if (begin_counting()) {  // else there is no memory for it: at the next turn
    settings_.meter->collections.fetch_add(1, std::memory_order_relaxed);
  }
}

void Vm::look_for_flush() {
  const Stay stay(governor_, settings_.limits.load);
  if (call_loader(state_, "flushed", "") && lua_toboolean(state_, -1) != 0 && settings_.meter != nullptr) {
    settings_.meter->flushes.fetch_add(1, std::memory_order_relaxed);
  }
  lua_settop(state_, 0);
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
    route.handler = RawStack::kept(state_, ref_field(state_, "enter"));
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
  entries_.job = ref_field(state_, "job");
  entries_.save = ref_field(state_, "save");
  entries_.stray_yield = ref_field(state_, "stray_yield");
  lua_pop(state_, 1);
}

}  // namespace perigee::script
