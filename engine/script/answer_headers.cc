#include "script/answer_headers.h"

#include <string>

#include "http/field_syntax.h"
#include "script/answer_fields.h"

namespace perigee::script {
namespace {

// Adds one header line out of the value on top of the stack.
void add_value(const Normalizer& self, std::string_view name) {
  const int type = lua_type(self.state, -1);
  const std::string quoted = "'" + std::string(name) + "'";
  if (type != LUA_TSTRING && type != LUA_TNUMBER) {
    self.refuse("returned a header " + quoted + " that is a " + lua_typename(self.state, type));
  }
  lua_pushvalue(self.state, -1);  // a number becomes a string on a copy
  switch (add_field(self.answer, name, string_at(self.state, -1))) {
    case FieldVerdict::kAdded:
      break;
    case FieldVerdict::kBadName:
      self.refuse("returned a header whose name is no token of RFC 9110");
      break;
    case FieldVerdict::kReserved:
      self.refuse("returned a header " + quoted + ", which the server sets itself");
      break;
    case FieldVerdict::kBadValue:
      self.refuse("returned a header " + quoted + " whose value holds CR, LF, NUL or another control byte");
      break;
  }
  lua_pop(self.state, 1);
}

// Adds the header on top of the stack (name below value): a string, a number, or a list of them.
void add_header(const Normalizer& self) {
  lua_State* state = self.state;
  if (lua_type(state, -2) != LUA_TSTRING) {
    self.refuse("returned headers with a name that is no string");
  }
  const std::string_view name = string_at(state, -2);
  if (!lua_istable(state, -1)) {
    add_value(self, name);
    return;
  }
  const auto count = static_cast<int>(lua_objlen(state, -1));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, i);
    add_value(self, name);
    lua_pop(state, 1);
  }
}

}  // namespace

void add_headers(const Normalizer& self, int index) {
  if (lua_isnil(self.state, index)) {
    return;
  }
  if (!lua_istable(self.state, index)) {
    self.refuse(std::string("returned headers that are a ") + luaL_typename(self.state, index) + ", not a table");
  }
  lua_pushnil(self.state);
  while (lua_next(self.state, index) != 0) {
    add_header(self);
    lua_pop(self.state, 1);
  }
}

bool has_header(lua_State* state, int index, std::string_view name) {
  if (!lua_istable(state, index)) {
    return false;
  }
  lua_pushnil(state);
  while (lua_next(state, index) != 0) {
    lua_pop(state, 1);
    if (lua_type(state, -1) == LUA_TSTRING && http::equal_fold(string_at(state, -1), name)) {
      lua_pop(state, 1);
      return true;
    }
  }
  return false;
}

void add_inner_headers(const Normalizer& self, int inner, int outer) {
  lua_State* state = self.state;
  if (!lua_istable(state, inner)) {
    return;
  }
  lua_pushnil(state);
  while (lua_next(state, inner) != 0) {
    if (lua_type(state, -2) != LUA_TSTRING || !has_header(state, outer, string_at(state, -2))) {
      add_header(self);
    }
    lua_pop(state, 1);
  }
}

}  // namespace perigee::script
