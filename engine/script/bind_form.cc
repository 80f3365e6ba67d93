// Multipart forms: their fields and the files in them.

#include <lua.hpp>

#include <cstring>

#include "script/bind.h"
#include "script/exchange.h"
#include "script/lua_values.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

using Part = files::UploadForm::Part;

files::UploadForm& form_of(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  if (exchange.intake == nullptr || exchange.intake->form() == nullptr) {
    luaL_error(state, "the form was not read");
  }
  return *exchange.intake->form();
}

Part& part_of(lua_State* state) {
  auto& parts = form_of(state).parts();
  const auto index = static_cast<std::size_t>(luaL_checkinteger(state, 2));
  if (index >= parts.size()) {
    luaL_error(state, "the form has no such part");
  }
  return parts[index];
}

// Pushes up to `size` bytes of the part from `offset` on; or nil and why not.
int push_content(lua_State* state, const Part& part, std::uint64_t offset, std::size_t size) {
  auto* bytes = static_cast<char*>(lua_newuserdata(state, size));
  std::size_t count = 0;
  char why[256] = "";
  {
    const auto read = part.content.read(offset, bytes, size);  // gone before anything may raise
    if (read) {
      count = *read;
    } else {
      std::strncpy(why, read.error().message.c_str(), sizeof why - 1);
    }
  }
  if (*why != '\0') {
    lua_pushnil(state);
    lua_pushstring(state, why);
    return 2;
  }
  lua_pushlstring(state, bytes, count);
  lua_remove(state, -2);
  return 1;
}

// begin_form(task, content_type): from here on the body is taken apart as it comes.
int begin_form(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  std::size_t size = 0;
  const char* type = luaL_checklstring(state, 2, &size);
  BodyIntake& intake = exchange.open_intake();
  if (intake.form() == nullptr) {
    intake.begin_form(exchange.body, {type, size}, Vm::of(state).settings().upload);
  }
  return 0;
}

// form_parts(task) -> the first value of every field that is no file. Raises what keeps one from being read.
int form_parts(lua_State* state) {
  lua_newtable(state);
  for (const Part& part : form_of(state).parts()) {
    if (part.is_file()) {
      continue;
    }
    lua_pushlstring(state, part.head.name.data(), part.head.name.size());
    if (!keep_new_name(state)) {
      continue;
    }
    if (push_content(state, part, 0, part.content.size()) != 1) {
      return lua_error(state);
    }
    lua_rawset(state, -3);
  }
  return 1;
}

// form_part_values(task, name) -> every value of the field, in order.
int form_part_values(lua_State* state) {
  std::size_t size = 0;
  const char* name = luaL_checklstring(state, 2, &size);
  lua_newtable(state);
  int count = 0;
  for (const Part& part : form_of(state).parts()) {
    if (!part.is_file() && part.head.name == std::string_view(name, size)) {
      if (push_content(state, part, 0, part.content.size()) != 1) {
        return lua_error(state);
      }
      lua_rawseti(state, -2, ++count);
    }
  }
  return 1;
}

// form_files(task) -> a list of { name, filename, type, size, [3] = index }: lua/perigee/bodies.lua makes them files.
int form_files(lua_State* state) {
  lua_newtable(state);
  int count = 0;
  lua_Integer index = -1;
  for (const Part& part : form_of(state).parts()) {
    ++index;
    if (!part.is_file()) {
      continue;
    }
    lua_createtable(state, 3, 4);
    const auto put = [state](const char* key, const std::string& text) {
      lua_pushlstring(state, text.data(), text.size());
      lua_setfield(state, -2, key);
    };
    put("name", part.head.name);
    put("filename", *part.head.filename);
    put("type", part.head.type);
    lua_pushnumber(state, static_cast<lua_Number>(part.content.size()));
    lua_setfield(state, -2, "size");
    lua_pushinteger(state, index);
    lua_rawseti(state, -2, 3);
    lua_rawseti(state, -2, ++count);
  }
  return 1;
}

// file_read(task, index, n) -> the next n bytes, all that are left without n; nil at the end; or nil and why not.
int file_read(lua_State* state) {
  Part& part = part_of(state);
  const auto left = static_cast<std::size_t>(part.content.size() - part.position);
  const lua_Number most = luaL_optnumber(state, 3, static_cast<lua_Number>(left));
  const std::size_t size = most < static_cast<lua_Number>(left) ? static_cast<std::size_t>(most) : left;
  if (left == 0) {
    lua_pushnil(state);
    return 1;
  }
  const int pushed = push_content(state, part, part.position, size);
  if (pushed == 1) {
    part.position += size;
  }
  return pushed;
}

// file_move(task, index, path, overwrite) -> true; or nil and why not.
int file_move(lua_State* state) {
  Part& part = part_of(state);
  std::size_t size = 0;
  const char* path = luaL_checklstring(state, 3, &size);
  if (part.moved) {
    return luaL_error(state, "the file was moved already");
  }
  char why[512] = "";
  {
    const auto moved = part.content.move_to({path, size}, lua_toboolean(state, 4) != 0);
    if (!moved) {
      std::strncpy(why, moved.error().message.c_str(), sizeof why - 1);
    }
  }
  if (*why != '\0') {
    lua_pushnil(state);
    lua_pushstring(state, why);
    return 2;
  }
  part.moved = true;
  lua_pushboolean(state, 1);
  return 1;
}

}  // namespace

void bind_form(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"begin_form", begin_form}, {"form_parts", form_parts}, {"form_part_values", form_part_values},
      {"form_files", form_files}, {"file_read", file_read},   {"file_move", file_move},
      {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
