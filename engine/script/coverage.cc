#include "script/coverage.h"

#include <lua.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "script/lua_library.h"

namespace perigee::script {
namespace {

const char kKey = 0;  // its address is a registry key: the VM's Coverage

bool is_embedded(std::string_view chunk) {
  const auto& modules = lua_library();
  return std::any_of(modules.begin(), modules.end(),
                     [chunk](const LuaModule& module) { return module.chunk == chunk; });
}

// Calls add(line) for each line with code of the function given and those inside it. LuaJIT's own records of a function
// are asked, as those inside have no function value until the file runs.
constexpr char kWalk[] = R"(
  local main, add = ...
  local util = require "jit.util"
  local function walk(proto)
    local info = util.funcinfo(proto)
    for pc = 1, info.bytecodes - 1 do
      add(util.funcinfo(proto, pc).currentline)
    end
    for i = -1, -info.gcconsts, -1 do
      local inner = util.funck(proto, i)
      if type(inner) == "proto" then walk(inner) end
    end
  end
  walk(main)
)";

struct CloseState {
  void operator()(lua_State* state) const { lua_close(state); }
};

}  // namespace

void Coverage::Total::add(const std::map<std::string, LineCounts>& files) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, counts] : files) {
    LineCounts& sum = files_[name];
    sum.resize(std::max(sum.size(), counts.size()));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sum[i] += counts[i];
    }
  }
}

std::map<std::string, LineCounts> Coverage::Total::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

Coverage::~Coverage() {
  total_.add(files_);
}

void Coverage::watch(lua_State* state) {
  lua_pushlightuserdata(state, const_cast<char*>(&kKey));
  lua_pushlightuserdata(state, this);
  lua_rawset(state, LUA_REGISTRYINDEX);
  luaJIT_setmode(state, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_sethook(state, &Coverage::on_line, LUA_MASKLINE, 0);
}

void Coverage::on_line(lua_State* state, lua_Debug* record) {
  lua_pushlightuserdata(state, const_cast<char*>(&kKey));
  lua_rawget(state, LUA_REGISTRYINDEX);
  auto* coverage = static_cast<Coverage*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  coverage->count(state, record);
}

void Coverage::count(lua_State* state, lua_Debug* record) {
  lua_getinfo(state, "S", record);
  if (last_source_ != record->source) {
    last_source_ = record->source;
    last_ = last_source_.starts_with('@') && !is_embedded(last_source_) ? &files_[last_source_.substr(1)] : nullptr;
  }
  if (last_ == nullptr || record->currentline < 1) {
    return;
  }
  const auto line = static_cast<std::size_t>(record->currentline);
  if (last_->size() <= line) {
    last_->resize(line + 1);
  }
  ++(*last_)[line];
}

std::vector<int> active_lines(const std::string& path) {
  const std::unique_ptr<lua_State, CloseState> state(luaL_newstate());
  std::vector<int> lines;
  if (state == nullptr) {
    return lines;
  }
  lua_State* lua = state.get();
  luaL_openlibs(lua);
  if (luaL_loadstring(lua, kWalk) != 0 || luaL_loadfilex(lua, path.c_str(), "t") != 0) {
    return lines;
  }
  lua_pushlightuserdata(lua, &lines);
  lua_pushcclosure(
      lua,
      [](lua_State* inner) {
        auto* out = static_cast<std::vector<int>*>(lua_touserdata(inner, lua_upvalueindex(1)));
        out->push_back(static_cast<int>(lua_tointeger(inner, 1)));
        return 0;
      },
      1);
  if (lua_pcall(lua, 2, 0, 0) != 0) {
    return {};
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

}  // namespace perigee::script
