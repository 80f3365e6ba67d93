#include "script/call_counter.h"

#include <lua.hpp>

#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "base/pulse.h"
#include "script/lua_allocator.h"

namespace perigee::script {

namespace {

thread_local constinit CallCounter* counting = nullptr;

}  // namespace

CallCounter::CallCounter(lua_State* main) : main_(main) {
  void* allocator = nullptr;
  lua_getallocf(main_, &allocator);
  allocator_ = static_cast<LuaAllocator*>(allocator);
}

CallCounter::~CallCounter() {
  if (counting == this) {
    counting = nullptr;
  }
}

// Compiled code calls no hooks: there is none while calls are counted.
void CallCounter::begin() {
  counting = this;
  luaJIT_setmode(main_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  luaJIT_setmode(main_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
  lua_setallocf(main_, &LuaAllocator::allocate_counted, allocator_);
  lua_sethook(main_, on_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE, 0);
}

void CallCounter::end() {
  counting = nullptr;
  lua_sethook(main_, nullptr, 0, 0);
  lua_setallocf(main_, &LuaAllocator::allocate, allocator_);
  luaJIT_setmode(main_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
}

void CallCounter::on_hook(lua_State* state, lua_Debug* event) {
  if (counting != nullptr) {
    counting->note(state, event);
  }
}

// What passed since the last event was the work of what ran then, unless the worker was elsewhere.
void CallCounter::charge() {
  const std::uint64_t stay = pulse.stay.load(std::memory_order_relaxed);
  if (now_ != nullptr && stay == stay_) {
    now_->nanoseconds += monotonic_ns() - since_;
    now_->bytes += allocator_->counts().bytes - bytes_;
  }
  stay_ = stay;
}

CallCounter::Function* CallCounter::at_level(lua_State* state, int level) {
  lua_Debug frame;
  if (lua_getstack(state, level, &frame) == 0 || lua_getinfo(state, "Sn", &frame) == 0) {
    return nullptr;
  }
  const bool native = std::strcmp(frame.what, "C") == 0;
  const char* const name = frame.name != nullptr ? frame.name : "";
  key_ = native ? name : frame.source;
  if (!native) {
    key_.append(1, '\0').append(reinterpret_cast<const char*>(&frame.linedefined), sizeof frame.linedefined);
  }
  const auto [found, added] = functions_.try_emplace(key_);
  if (added) {
    found->second.source = native ? "=[C]" : frame.source;
    found->second.name = native && *name == '\0' ? "(a function in C)" : name;
    found->second.first_line = native ? 0 : frame.linedefined;
  }
  return &found->second;
}

void CallCounter::note(lua_State* state, lua_Debug* event) {
  charge();
  now_ = at_level(state, event->event == LUA_HOOKRET ? 1 : 0);
  if (now_ != nullptr && event->event == LUA_HOOKCALL) {
    ++now_->calls;
  }
  bytes_ = allocator_->counts().bytes;
  since_ = monotonic_ns();
}

std::string CallCounter::text() const {
  std::string out;
  for (const auto& [key, function] : functions_) {
    const auto part = [&out](const std::string& text) {
      for (const char byte : text) {
        out += byte == '\t' || byte == '\n' ? ' ' : byte;
      }
      out += '\t';
    };
    part(function.source);
    part(std::to_string(function.first_line));
    part(function.name);
    part(std::to_string(function.nanoseconds));
    part(std::to_string(function.bytes));
    out += std::to_string(function.calls) + "\n";
  }
  return out;
}

}  // namespace perigee::script
