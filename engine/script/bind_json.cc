#include <lua.hpp>

#include "script/bind.h"
#include "script/json_decoder.h"
#include "script/json_encoder.h"
#include "script/raw_table.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// encode(value) -> string, or an error that names the path.
int encode(lua_State* state) {
  luaL_checkany(state, 1);
  lua_settop(state, 1);
  Vm& vm = Vm::of(state);
  // Taken out of the VM meanwhile: making the string may run a finalizer, which may encode as well.
  ByteBuffer out(vm.encoded().pool());
  out.swap(vm.encoded());
  JsonEncoder::clear(out);
  bool encoded = false;
  {
    JsonEncoder encoder(state, out, vm.settings().json_depth);
    encoded = encoder.encode(1);
    if (encoded) {
      lua_pushlstring(state, out.data(), out.size());
    } else {
      lua_pushlstring(state, encoder.error().data(), encoder.error().size());
    }
  }
  out.swap(vm.encoded());
  return encoded ? 1 : luaL_error(state, "%s", lua_tostring(state, -1));
}

// decode(text) -> value; or nil, error.
int decode(lua_State* state) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, 1, &size);
  std::string error;
  if (decode_json(state, {text, size}, {Vm::of(state).settings().json_depth, 0}, error)) {
    return 1;
  }
  lua_pushnil(state);
  lua_pushlstring(state, error.data(), error.size());
  return 2;
}

// What is left on the stack: the metatable that marks arrays.
void make_marks(lua_State* state) {
  lua_createtable(state, 1, 0);
  lua_pushlightuserdata(state, nullptr);
  lua_rawseti(state, -2, 1);
  const RawValue null = RawTable::is_known() ? RawTable::at(state, -1).slots[1] : RawValue();
  lua_pop(state, 1);
  lua_newtable(state);
  Vm::of(state).set_json_marks({lua_topointer(state, -1), null});
}

}  // namespace

void bind_json(lua_State* state) {
  lua_pushcfunction(state, encode);
  lua_setfield(state, -2, "encode");
  lua_pushcfunction(state, decode);
  lua_setfield(state, -2, "decode");
  lua_pushlightuserdata(state, nullptr);
  lua_setfield(state, -2, "null");
  make_marks(state);
  lua_pushlightuserdata(state, &RegistryKeys::array);
  lua_pushvalue(state, -2);
  lua_rawset(state, LUA_REGISTRYINDEX);
  lua_setfield(state, -2, "array_mark");
}

}  // namespace perigee::script
