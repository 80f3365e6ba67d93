// perigee.shared: the leaves are called by compiled Lua through the FFI and never enter Lua; what handles tables, lists
// of keys and waiting tasks runs in the coroutine.

#include <lua.hpp>

#include <cmath>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/slice.h"
#include "script/bind.h"
#include "script/fetches.h"
#include "script/stack_text.h"
#include "script/table_packer.h"
#include "script/vm.h"
#include "state/shared_dictionaries.h"

#define PERIGEE_FFI extern "C" __attribute__((visibility("default"), used))

using perigee::Slice;
using perigee::state::DictionaryValue;
using perigee::state::SharedDictionary;
using perigee::state::ValueKind;
using Outcome = perigee::state::SharedDictionary::Outcome;

namespace perigee::script {

/// Where the leaves leave what they find; one a VM. lua/perigee/native.lua declares the first fields.
struct SharedRoom {
  Slice bytes;
  double number = 0;
  SharedDictionary::Copy copy;
};

}  // namespace perigee::script

using perigee::script::SharedRoom;

namespace {

constexpr double kNanoseconds = 1e9;
constexpr double kMostSeconds = 9e9;
constexpr std::size_t kKeptBytes = 1024 * 1024;  // a longer value's memory is given back

// 0 stands for no end.
std::int64_t lifetime_of(double seconds) {
  if (!(seconds > 0) || seconds >= kMostSeconds) {
    return perigee::state::kNever;
  }
  return static_cast<std::int64_t>(seconds * kNanoseconds) + 1;
}

DictionaryValue value_of(std::int32_t kind, double number, const char* bytes, std::size_t size) {
  return {static_cast<ValueKind>(kind), number, {bytes, bytes != nullptr ? size : 0}};
}

std::int32_t number_of(Outcome outcome) {
  return static_cast<std::int32_t>(outcome);
}

}  // namespace

/// The value of a key: its ValueKind, 0 where there is none; -1 without memory. `room` receives it.
PERIGEE_FFI std::int32_t perigee_shared_get(SharedRoom* room, SharedDictionary* dictionary, const char* key,
                                            std::size_t size) noexcept try {
  if (room->copy.bytes.capacity() > kKeptBytes) {
    std::string().swap(room->copy.bytes);
  }
  dictionary->get({key, size}, room->copy);
  room->bytes = Slice::of(room->copy.bytes);
  room->number = room->copy.number;
  return static_cast<std::int32_t>(room->copy.kind);
} catch (const std::bad_alloc&) {
  return -1;
}

/// SharedDictionary::write(); `ttl` in seconds, 0 for none.
PERIGEE_FFI std::int32_t perigee_shared_write(SharedDictionary* dictionary, const char* key, std::size_t size,
                                              std::int32_t kind, double number, const char* bytes,
                                              std::size_t value_size, double ttl, std::int32_t when) noexcept {
  return number_of(dictionary->write({key, size}, value_of(kind, number, bytes, value_size), lifetime_of(ttl),
                                     static_cast<SharedDictionary::When>(when)));
}

/// SharedDictionary::compare_and_swap().
PERIGEE_FFI std::int32_t perigee_shared_cas(SharedDictionary* dictionary, const char* key, std::size_t size,
                                            std::int32_t old_kind, double old_number, const char* old_bytes,
                                            std::size_t old_size, std::int32_t kind, double number, const char* bytes,
                                            std::size_t value_size) noexcept {
  return number_of(dictionary->compare_and_swap({key, size}, value_of(old_kind, old_number, old_bytes, old_size),
                                                value_of(kind, number, bytes, value_size)));
}

/// SharedDictionary::increment(); the sum is in room->number.
PERIGEE_FFI std::int32_t perigee_shared_incr(SharedRoom* room, SharedDictionary* dictionary, const char* key,
                                             std::size_t size, double by, double initial, double ttl) noexcept {
  const auto sum = dictionary->increment({key, size}, by, initial, lifetime_of(ttl));
  room->number = sum.value;
  return number_of(sum.outcome);
}

/// 1 where the key was there.
PERIGEE_FFI std::int32_t perigee_shared_delete(SharedDictionary* dictionary, const char* key,
                                               std::size_t size) noexcept {
  return dictionary->erase({key, size}) ? 1 : 0;
}

PERIGEE_FFI std::int32_t perigee_shared_expire(SharedDictionary* dictionary, const char* key, std::size_t size,
                                               double ttl) noexcept {
  return number_of(dictionary->expire({key, size}, lifetime_of(ttl)));
}

/// Seconds that the key has left, infinity where it stays, -1 where it is not there.
PERIGEE_FFI double perigee_shared_ttl(SharedDictionary* dictionary, const char* key, std::size_t size) noexcept {
  const auto left = dictionary->lifetime({key, size});
  if (!left) {
    return -1;
  }
  return *left == perigee::state::kNever ? std::numeric_limits<double>::infinity()
                                         : static_cast<double>(*left) / kNanoseconds;
}

PERIGEE_FFI double perigee_shared_count(SharedDictionary* dictionary) noexcept {
  return static_cast<double>(dictionary->count());
}

PERIGEE_FFI void perigee_shared_clear(SharedDictionary* dictionary) noexcept {
  dictionary->clear();
}

namespace perigee::script {
namespace {

using state::Flights;

int free_room(lua_State* state) {
  static_cast<SharedRoom*>(lua_touserdata(state, 1))->~SharedRoom();
  return 0;
}

// shared_room() -> a SharedRoom.
int shared_room(lua_State* state) {
  new (lua_newuserdata(state, sizeof(SharedRoom))) SharedRoom();
  lua_createtable(state, 0, 1);
  lua_pushcfunction(state, free_room);
  lua_setfield(state, -2, "__gc");
  lua_setmetatable(state, -2);
  return 1;
}

// shared_open(name) -> the dictionary as a light userdata; nil where there are too many.
int shared_open(lua_State* state) {
  SharedDictionary* dictionary = Vm::of(state).host().shared().find(check_text(state, 1));
  if (dictionary == nullptr) {
    return 0;
  }
  lua_pushlightuserdata(state, dictionary);
  return 1;
}

// shared_pack(table) -> a string; or nil and what can't be kept.
int shared_pack(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  lua_settop(state, 1);
  std::string bytes;
  TablePacker packer(state, bytes);
  if (packer.pack(1)) {
    lua_pushlstring(state, bytes.data(), bytes.size());
    return 1;
  }
  lua_pushnil(state);
  lua_pushlstring(state, packer.error().data(), packer.error().size());
  return 2;
}

// shared_unpack(string) -> table.
int shared_unpack(lua_State* state) {
  unpack_table(state, check_text(state, 1));
  return 1;
}

// shared_keys(dictionary, prefix, limit, position, list) -> where to go on; nil at the end. Adds some keys to the list.
int shared_keys(lua_State* state) {
  auto* dictionary = static_cast<SharedDictionary*>(lua_touserdata(state, 1));
  const auto limit = static_cast<std::size_t>(luaL_checknumber(state, 3));
  const auto position = static_cast<std::uint64_t>(luaL_checknumber(state, 4));
  luaL_checktype(state, 5, LUA_TTABLE);
  auto count = lua_objlen(state, 5);
  std::vector<std::string> found;
  const std::uint64_t next = dictionary->walk(position, check_text(state, 2), limit - count, found);
  for (const std::string& key : found) {
    if (count < limit) {
      lua_pushlstring(state, key.data(), key.size());
      lua_rawseti(state, 5, static_cast<int>(++count));
    }
  }
  if (next >= SharedDictionary::kEnd || count >= limit) {
    return 0;
  }
  lua_pushnumber(state, static_cast<double>(next));
  return 1;
}

// shared_join(name) -> "computes", "waits" or "recursion".
int shared_join(lua_State* state) {
  Vm& vm = Vm::of(state);
  switch (vm.fetches().join(*vm.current(), check_text(state, 1))) {
    case Fetches::Role::kComputes:
      lua_pushliteral(state, "computes");
      break;
    case Fetches::Role::kWaits:
      lua_pushliteral(state, "waits");
      break;
    case Fetches::Role::kComputesAlready:
      lua_pushliteral(state, "recursion");
      break;
  }
  return 1;
}

// shared_land(name, landing, kind, number, bytes, text): "value", "failed" or "abandoned".
int shared_land(lua_State* state) {
  static constexpr const char* kLandings[] = {"value", "failed", "abandoned", nullptr};
  Flights::Result result;
  result.landing = static_cast<Flights::Landing>(luaL_checkoption(state, 2, nullptr, kLandings));
  result.kind = static_cast<ValueKind>(luaL_optinteger(state, 3, 0));
  result.number = luaL_optnumber(state, 4, 0);
  result.bytes = lua_isnoneornil(state, 5) ? std::string_view() : check_text(state, 5);
  result.text = lua_isnoneornil(state, 6) ? std::string_view() : check_text(state, 6);
  Vm& vm = Vm::of(state);
  vm.fetches().land(*vm.current(), check_text(state, 1), result);
  return 0;
}

// shared_result() -> landing, kind, number, bytes, text of what the task waited for; nothing while it is not there.
int shared_result(lua_State* state) {
  static constexpr const char* kLandings[] = {"value", "failed", "abandoned"};
  Vm& vm = Vm::of(state);
  const Flights::Shared result = vm.fetches().take_result(*vm.current());
  if (!result) {
    return 0;
  }
  lua_pushstring(state, kLandings[static_cast<std::size_t>(result->landing)]);
  lua_pushinteger(state, static_cast<lua_Integer>(result->kind));
  lua_pushnumber(state, result->number);
  lua_pushlstring(state, result->bytes.data(), result->bytes.size());
  lua_pushlstring(state, result->text.data(), result->text.size());
  return 5;
}

// shared_leave(): the running task waits no longer, and computes nothing.
int shared_leave(lua_State* state) {
  Vm& vm = Vm::of(state);
  vm.fetches().leave(*vm.current());
  return 0;
}

}  // namespace

void bind_shared(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"shared_room", shared_room},   {"shared_open", shared_open},
                                            {"shared_pack", shared_pack},   {"shared_unpack", shared_unpack},
                                            {"shared_keys", shared_keys},   {"shared_join", shared_join},
                                            {"shared_land", shared_land},   {"shared_result", shared_result},
                                            {"shared_leave", shared_leave}, {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
