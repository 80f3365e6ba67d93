#include "script/trace_places.h"

#include <algorithm>
#include <iterator>
#include <lua.hpp>
#include <new>

namespace perigee::script {
namespace {

constexpr int kMostFunctions = 256;  // that one trace is searched for in
constexpr int kFarthest = 16;        // traces on the way to one whose start is known

// Two functions: read(trace, functions) gives what a trace links to, whether it goes on after a call, the address and
// size of its machine code, and source, line and first line of where it starts, as far as the bytecode of `functions`
// says that it starts there; false while it is recorded, nil where it was given up. link(trace) gives what it links to.
constexpr char kReaders[] = R"(
  require "jit".off(true, true) -- what is in here: the compiler must not follow itself
  local util = require "jit.util"
  local found, vmdef = pcall(require, "jit.vmdef")
  local START = { JFORL = true, JITERL = true, JLOOP = true, JFUNCF = true, JFUNCV = true }

  local starts, number = {}, 0
  for name in (found and vmdef.bcnames or ""):gmatch("......") do
    starts[number] = START[name:match("^%S+")]
    number = number + 1
  end

  local function start(trace, functions)
    for fn in pairs(functions) do
      for pc = 0, (util.funcinfo(fn).bytecodes or 0) - 1 do
        local instruction = util.funcbc(fn, pc)
        if starts[instruction % 256] and math.floor(instruction / 65536) % 65536 == trace then
          local info = util.funcinfo(fn, pc)
          return info.source, info.currentline, info.linedefined
        end
      end
    end
  end

  local function link(trace)
    local info = util.traceinfo(trace)
    return info and info.link
  end

  local function read(trace, functions)
    local info = util.traceinfo(trace)
    if not info or info.linktype == "none" then
      return info and false
    end
    local code, address = util.tracemc(trace)
    return info.link, info.linktype == "stitch", address or 0, code and #code or 0, start(trace, functions)
  end

  return read, link
)";

}  // namespace

void TracePlaces::watch(lua_State* main) {
  lua_newtable(main);
  functions_ref_ = luaL_ref(main, LUA_REGISTRYINDEX);
  if (luaL_loadbuffer(main, kReaders, sizeof kReaders - 1, "=(traces)") != 0) {
    lua_error(main);
  }
  lua_call(main, 0, 2);
  link_ref_ = luaL_ref(main, LUA_REGISTRYINDEX);
  read_ref_ = luaL_ref(main, LUA_REGISTRYINDEX);
  lua_getglobal(main, "require");
  lua_pushliteral(main, "jit");
  lua_call(main, 1, 1);
  lua_getfield(main, -1, "attach");
  lua_pushlightuserdata(main, this);
  lua_pushcclosure(main, on_record, 1);
  lua_pushliteral(main, "record");
  lua_call(main, 2, 0);
  lua_pop(main, 1);
}

// Before each instruction that is recorded: trace, function, instruction, depth. Where an attempt begins can't be seen:
// what is noted are the functions that it led through.
int TracePlaces::on_record(lua_State* state) {
  auto& self = *static_cast<TracePlaces*>(lua_touserdata(state, lua_upvalueindex(1)));
  const auto number = static_cast<std::int32_t>(lua_tointeger(state, 1));
  const void* const function = lua_topointer(state, 2);
  if (self.reading_ || (number == self.last_ && function == self.function_)) {
    return 0;
  }
  if (number != self.last_) {
    self.update(state);
    self.begin(number);
  }
  self.note(state, function);
  return 0;
}

// Whatever had that number is no more.
void TracePlaces::begin(std::int32_t number) noexcept {
  if (const auto known = traces_.find(number); known != traces_.end()) {
    const auto code = code_.find(known->second.code);
    if (code != code_.end() && code->second.number == number) {
      code_.erase(code);
    }
    traces_.erase(known);
  }
  last_ = number;
  function_ = nullptr;
}

void TracePlaces::note(lua_State* state, const void* function) {
  lua_rawgeti(state, LUA_REGISTRYINDEX, functions_ref_);
  if (functions_ == kMostFunctions) {
    functions_ = 0;
    lua_newtable(state);
    lua_pushvalue(state, -1);
    lua_rawseti(state, LUA_REGISTRYINDEX, functions_ref_);
  }
  lua_pushvalue(state, 2);
  lua_rawget(state, -2);
  const bool known = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  if (!known) {
    lua_pushvalue(state, 2);
    lua_pushboolean(state, 1);
    lua_rawset(state, -3);
    ++functions_;
  }
  function_ = function;
}

void TracePlaces::update(lua_State* running) noexcept {
  if (last_ == 0 || reading_) {
    return;
  }
  reading_ = true;
  if (lua_cpcall(running, read, this) != 0) {
    lua_pop(running, 1);
  }
  reading_ = false;
}

int TracePlaces::read(lua_State* state) {
  auto& self = *static_cast<TracePlaces*>(lua_touserdata(state, 1));
  lua_settop(state, 0);
  lua_rawgeti(state, LUA_REGISTRYINDEX, self.read_ref_);
  lua_pushinteger(state, self.last_);
  lua_rawgeti(state, LUA_REGISTRYINDEX, self.functions_ref_);
  lua_call(state, 2, 7);
  if (lua_isboolean(state, 1)) {
    return 0;
  }
  if (lua_isnumber(state, 1) != 0) {
    self.keep(state);
  }
  lua_newtable(state);
  lua_rawseti(state, LUA_REGISTRYINDEX, self.functions_ref_);
  self.last_ = 0;
  self.functions_ = 0;
  return 0;
}

// What read() of kReaders gave, at the bottom of the stack. A trace for which there is no memory stays unknown.
void TracePlaces::keep(lua_State* state) {
  const auto link = static_cast<std::int32_t>(lua_tointeger(state, 1));
  const char* const source = lua_tostring(state, 5);
  const bool linked = link != 0 && link != last_;
  const std::int32_t belongs = source != nullptr ? 0 : linked ? link : predecessor(state);
  try {
    Trace& trace = traces_[last_];
    trace.belongs = belongs;
    trace.goes_on = lua_toboolean(state, 2) != 0;
    trace.code = static_cast<std::uintptr_t>(lua_tonumber(state, 3));
    if (source != nullptr) {
      trace.start = {source, static_cast<int>(lua_tointeger(state, 6)), static_cast<int>(lua_tointeger(state, 7))};
    }
    keep_code(trace.code, trace.code + static_cast<std::uintptr_t>(lua_tonumber(state, 4)));
  } catch (const std::bad_alloc&) {
    return;
  }
}

// What lay there before was thrown away.
void TracePlaces::keep_code(std::uintptr_t begin, std::uintptr_t end) {
  auto at = code_.lower_bound(begin);
  if (at != code_.begin() && std::prev(at)->second.end > begin) {
    --at;
  }
  while (at != code_.end() && at->first < end) {
    at = code_.erase(at);
  }
  if (begin < end) {
    code_.emplace(begin, Code{end, last_});
    low_.store(std::min(low_.load(std::memory_order_relaxed), begin), std::memory_order_relaxed);
    high_.store(std::max(high_.load(std::memory_order_relaxed), end), std::memory_order_relaxed);
  }
}

// Which trace goes on in the last one; LuaJIT links it when that is whole. 0: none.
std::int32_t TracePlaces::predecessor(lua_State* state) const {
  for (const auto& [number, trace] : traces_) {
    if (!trace.goes_on) {
      continue;
    }
    lua_rawgeti(state, LUA_REGISTRYINDEX, link_ref_);
    lua_pushinteger(state, number);
    lua_call(state, 1, 1);
    const auto link = static_cast<std::int32_t>(lua_tointeger(state, -1));
    lua_pop(state, 1);
    if (link == last_) {
      return number;
    }
  }
  return 0;
}

std::int32_t TracePlaces::number_at(std::uintptr_t address) const noexcept {
  const auto after = code_.upper_bound(address);
  if (after == code_.begin()) {
    return 0;
  }
  const Code& code = std::prev(after)->second;
  return address < code.end ? code.number : 0;
}

const TracePlaces::Place* TracePlaces::start_of(std::int32_t number) const noexcept {
  for (int i = 0; i < kFarthest; ++i) {
    const auto known = traces_.find(number);
    if (known == traces_.end()) {
      return nullptr;
    }
    if (known->second.start.line > 0) {
      return &known->second.start;
    }
    number = known->second.belongs;
  }
  return nullptr;
}

}  // namespace perigee::script
