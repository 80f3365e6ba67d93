#include "script/raw_table.h"

#include <array>
#include <lua.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "script/safe_read.h"
#include "script/safepoint.h"

namespace perigee::script {
namespace {

static_assert(sizeof(RawNode) == 24);
static_assert(offsetof(RawTable, slots) == 16 && offsetof(RawTable, last_node) == 52);

constexpr std::size_t kMost = 64;  // slots or nodes of a table of ours

// Tables of each shape: short and long, filled in every way, with holes, with values that were taken away.
constexpr const char* kTables = R"(
local function filled(from, to, step, t)
  for i = from, to, step do t[i] = "value " .. i end
  return t
end
local function named(count, t)
  for i = 1, count do t["name " .. i] = i % 2 == 0 and i or -i / 3 end
  return t
end
local function emptied(t, ...)
  for _, key in ipairs { ... } do t[key] = nil end
  return t
end
return {
  {}, { "" }, { "text", 1.5, true, false, {}, 7, -0.0, 1e300, -1 / 0, print }, { [0] = true, false },
  { a = 1 }, { a = "b", c = true, d = false, e = {}, f = print }, { 1, 2, 3, x = 4 }, { nil, 2, nil, 4 },
  filled(1, 20, 1, {}), filled(20, 1, -1, {}), filled(-3, 3, 1, {}), named(1, {}), named(9, {}),
  named(30, { 1, 2 }), emptied({ 1, 2, 3 }, 1, 3), emptied(named(12, {}), "name 1", "name 7"), emptied({ a = 1 }, "a"),
  { [true] = 1, [print] = 2, [1.5] = 3 }, setmetatable({ 1, a = 2 }, { __index = {} }), { ("x"):rep(5000) },
}
)";

// A table's memory, copied as far as it is readable.
struct Copy {
  RawTable table;
  std::array<RawValue, kMost> slots;
  std::array<RawNode, kMost> nodes;
};

bool read(const void* address, Copy& copy) {
  const auto at = [](const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); };
  return read_safely(at(address), &copy.table, sizeof copy.table) && copy.table.slot_count <= kMost &&
         copy.table.last_node < kMost &&
         read_safely(at(copy.table.slots), &copy.slots, copy.table.slot_count * sizeof(RawValue)) &&
         read_safely(at(copy.table.nodes), &copy.nodes, (copy.table.last_node + 1) * sizeof(RawNode));
}

// Whether lua_next() gives what the copy holds of the table on top of the stack, in the same order.
bool has_same_entries(lua_State* state, const Copy& copy) {
  const int table = lua_gettop(state);
  lua_pushnil(state);
  for (std::uint32_t i = 0; i < copy.table.slot_count; ++i) {
    if (copy.slots[i].is_nil()) {
      continue;
    }
    if (lua_next(state, table) == 0 || lua_tonumber(state, -2) != i || !copy.slots[i].agrees_with(state, -1)) {
      return false;
    }
    lua_pop(state, 1);
  }
  for (std::uint32_t i = 0; i <= copy.table.last_node; ++i) {
    const RawNode& node = copy.nodes[i];
    if (node.value.is_nil()) {
      continue;
    }
    if (lua_next(state, table) == 0 || !node.key.agrees_with(state, -2) || !node.value.agrees_with(state, -1)) {
      return false;
    }
    lua_pop(state, 1);
  }
  return lua_next(state, table) == 0;
}

bool is_as_expected(lua_State* state) {
  Copy copy{};
  const void* metatable = nullptr;
  if (lua_getmetatable(state, -1) != 0) {
    metatable = lua_topointer(state, -1);
    lua_pop(state, 1);
  }
  return read(lua_topointer(state, -1), copy) && copy.table.metatable == metatable && has_same_entries(state, copy);
}

// Whether all tables of the script are; told by what is returned.
int look(lua_State* state) {
  luaL_openlibs(state);
  if (luaL_loadstring(state, kTables) != 0) {
    return lua_error(state);
  }
  lua_call(state, 0, 1);
  const auto count = static_cast<int>(lua_objlen(state, -1));
  bool known = count > 0;
  for (int i = 1; i <= count && known; ++i) {
    lua_rawgeti(state, 2, i);
    known = is_as_expected(state);
    lua_settop(state, 2);
  }
  *static_cast<bool*>(lua_touserdata(state, 1)) = known;
  return 0;
}

bool calibrate_once() {
  const std::unique_ptr<lua_State, decltype(&lua_close)> state(luaL_newstate(), lua_close);
  bool known = false;
  return state != nullptr && Safepoint::is_wanted("table") && lua_cpcall(state.get(), look, &known) == 0 && known;
}

}  // namespace

bool RawTable::known_ = false;

void RawTable::calibrate() {
  static std::once_flag once;
  std::call_once(once, [] { known_ = calibrate_once(); });
}

const RawTable& RawTable::at(lua_State* state, int index) {
  return *static_cast<const RawTable*>(lua_topointer(state, index));
}

}  // namespace perigee::script
