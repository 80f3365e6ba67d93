#include "script/tls_options.h"

#include <lua.hpp>

#include <string>

namespace perigee::script {
namespace {

std::string text_field(lua_State* state, int index, const char* name) {
  lua_getfield(state, index, name);
  std::size_t size = 0;
  const char* text = lua_type(state, -1) == LUA_TSTRING ? lua_tolstring(state, -1, &size) : nullptr;
  std::string value(text != nullptr ? text : "", size);
  lua_pop(state, 1);
  return value;
}

}  // namespace

client::Socket::Security tls_options(lua_State* state, int index) {
  client::Socket::Security security;
  security.target.server_name = text_field(state, index, "server_name");
  security.identity = {text_field(state, index, "ca_file"), text_field(state, index, "cert_file"),
                       text_field(state, index, "key_file")};
  lua_getfield(state, index, "verify");
  security.target.verify = lua_isnil(state, -1) || lua_toboolean(state, -1) != 0;
  lua_getfield(state, index, "alpn");
  const int count = lua_istable(state, -1) ? static_cast<int>(lua_objlen(state, -1)) : 0;
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, i);
    const char* name = lua_tostring(state, -1);
    security.target.alpn.emplace_back(name != nullptr ? name : "");
    lua_pop(state, 1);
  }
  lua_pop(state, 2);
  return security;
}

}  // namespace perigee::script
