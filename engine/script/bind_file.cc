// Files as answers: finding them, and filling an answer by one.

#include <fcntl.h>
#include <unistd.h>

#include <lua.hpp>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "files/file_cache.h"
#include "files/folder_listing.h"
#include "http/field_syntax.h"
#include "script/bind.h"
#include "script/exchange.h"
#include "script/stack_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

constexpr const char* kFile = "perigee.File";
constexpr std::size_t kMostListed = 10'000;

// A file that was found, as the body of a response value.
struct FoundFile {
  files::FileSet files;
  std::string type;
};

int end_file(lua_State* state) {
  static_cast<FoundFile*>(lua_touserdata(state, 1))->~FoundFile();
  return 0;
}

// static_folder(path, cache_control or "", precompressed) -> its number; or nil and why it can't be served. While the
// app is loaded.
int static_folder(lua_State* state) {
  const std::string_view path = check_text(state, 1);
  const std::string_view cache_control = check_text(state, 2);
  const int opened = files::open_beneath(std::string(path), ".", O_PATH | O_DIRECTORY);
  const int error = opened < 0 ? errno : 0;
  if (opened >= 0) {
    ::close(opened);
  }
  if (error != 0) {
    lua_pushnil(state);
    lua_pushstring(state, std::strerror(error));
    return 2;
  }
  if (!http::is_field_value(cache_control)) {
    return luaL_error(state, "cache_control holds CR, LF, NUL or another control byte");
  }
  auto& folders = Vm::of(state).static_folders();
  StaticFolder folder;
  folder.path.assign(path);
  if (!cache_control.empty()) {
    folder.lines.append("Cache-Control: ").append(cache_control).append("\r\n");
  }
  folder.precompressed = lua_toboolean(state, 3) != 0;
  folders.push_back(std::move(folder));
  lua_pushinteger(state, static_cast<lua_Integer>(folders.size() - 1));
  return 1;
}

// find_file(folder or "", path, precompressed, type or nil) -> a file; or nil, the status to answer with and, where it
// is a folder, true.
int find_file(lua_State* state) {
  const std::string_view folder = check_text(state, 1);
  const std::string_view path = check_text(state, 2);
  const bool precompressed = lua_toboolean(state, 3) != 0;
  const std::string_view type = lua_isnoneornil(state, 4) ? std::string_view() : check_text(state, 4);
  if (!http::is_field_value(type)) {
    return luaL_error(state, "a file's type holds CR, LF, NUL or another control byte");
  }
  if (Vm::of(state).current() == nullptr) {
    return luaL_error(state, "perigee.file answers a request: call it in a handler");
  }
  int error = ENOENT;
  auto* place = static_cast<FoundFile*>(lua_newuserdata(state, sizeof(FoundFile)));
  new (place) FoundFile;
  luaL_getmetatable(state, kFile);
  lua_setmetatable(state, -2);
  if (folder.empty() ? !files::leads_upwards(path) : files::is_public_path(path)) {
    const auto found = Vm::of(state).host().files().find(folder, path, precompressed, monotonic_coarse_ms());
    error = found.error;
    if (found.files != nullptr) {
      place->files = *found.files;
      place->type.assign(type.empty() ? found.files->type : type);
      return 1;
    }
  }
  const int status = files::status_of_error(error);
  if (status >= 500) {
    log_event(LogLevel::kError, "the file '" + std::string(path) + "' can't be opened: " + std::strerror(error));
  }
  lua_pushnil(state);
  lua_pushinteger(state, status);
  lua_pushboolean(state, error == EISDIR ? 1 : 0);
  return 3;
}

// list_folder(folder, path) -> the names of the public files and folders at the path, folders with a slash at the end,
// in no order, at most 10,000; or nil.
int list_folder(lua_State* state) {
  const std::string_view folder = check_text(state, 1);
  const std::string_view path = check_text(state, 2);
  std::vector<std::string> names;
  if (!files::list_public(std::string(folder), std::string(path), kMostListed, names)) {
    lua_pushnil(state);
    return 1;
  }
  lua_createtable(state, static_cast<int>(names.size()), 0);
  int count = 0;
  for (const std::string& name : names) {
    lua_pushlstring(state, name.data(), name.size());
    lua_rawseti(state, -2, ++count);
  }
  return 1;
}

// file_facts(file) -> size in bytes, seconds since the epoch of its last change.
int file_facts(lua_State* state) {
  const auto* file = static_cast<FoundFile*>(luaL_checkudata(state, 1, kFile));
  lua_pushnumber(state, static_cast<lua_Number>(file->files.plain->size()));
  lua_pushnumber(state, static_cast<lua_Number>(file->files.plain->modified()));
  return 2;
}

// The value of the line that begins so; "" where there is none.
std::string_view value_of_line(std::string_view lines, std::string_view begin) {
  const std::size_t at = lines.find(begin);
  if (at == std::string_view::npos) {
    return {};
  }
  lines.remove_prefix(at + begin.size());
  return lines.substr(0, lines.find("\r\n"));
}

// file_plan(file) -> the status that the request's conditions and ranges come to, the content type, the size in bytes,
// the ETag and a text that no other state of any file has; nothing where the file is there in a coding already.
int file_plan(lua_State* state) {
  const auto* file = static_cast<FoundFile*>(luaL_checkudata(state, 1, kFile));
  const Task* task = Vm::of(state).current();
  if (task == nullptr || task->exchange == nullptr) {
    return luaL_error(state, "there is no request");
  }
  const files::FilePlan plan = files::plan_file(task->exchange->head, file->files, std::time(nullptr));
  if (!plan.coding.empty()) {
    return 0;
  }
  const std::string_view modified = value_of_line(file->files.plain->lines(), "Last-Modified: ");
  const files::ServedFile::Identity& id = file->files.plain->identity();
  lua_pushinteger(state, plan.status);
  lua_pushlstring(state, file->type.data(), file->type.size());
  lua_pushnumber(state, static_cast<lua_Number>(id.size));
  lua_pushlstring(state, file->files.plain->etag().data(), file->files.plain->etag().size());
  lua_pushlstring(state, modified.data(), modified.size());
  lua_pushlstring(state, reinterpret_cast<const char*>(&id), sizeof id);
  return 6;
}

// file_bytes(file) -> its content; nil where it can't be read any more.
int file_bytes(lua_State* state) {
  const auto* found = static_cast<FoundFile*>(luaL_checkudata(state, 1, kFile));
  const files::ServedFile& file = *found->files.plain;
  if (file.in_memory()) {
    lua_pushlstring(state, file.content().data(), file.content().size());
    return 1;
  }
  const auto size = static_cast<std::size_t>(file.size());
  auto* bytes = static_cast<char*>(lua_newuserdata(state, size));
  for (std::size_t at = 0; at < size;) {
    const ssize_t got = ::pread(file.descriptor(), bytes + at, size - at, static_cast<off_t>(at));
    if (got <= 0) {
      lua_pushnil(state);
      return 1;
    }
    at += static_cast<std::size_t>(got);
  }
  lua_pushlstring(state, bytes, size);
  return 1;
}

}  // namespace

bool answer_with_file(lua_State* state, int index, Exchange& exchange, bool whole) {
  const auto* file = static_cast<FoundFile*>(luaL_checkudata(state, index, kFile));
  const int status = exchange.answer.status;
  const files::FilePlan plan =
      whole ? files::plan_whole(file->files) : files::plan_file(exchange.head, file->files, std::time(nullptr));
  fill_with_plan(exchange, plan, file->type);
  if (whole) {
    exchange.answer.status = status;
  }
  return plan.status < 400;
}

void bind_file(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"static_folder", static_folder},
                                            {"find_file", find_file},
                                            {"list_folder", list_folder},
                                            {"file_facts", file_facts},
                                            {"file_plan", file_plan},
                                            {"file_bytes", file_bytes},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  luaL_newmetatable(state, kFile);
  lua_pushcfunction(state, end_file);
  lua_setfield(state, -2, "__gc");
  lua_pushliteral(state, "a file");
  lua_setfield(state, -2, "__metatable");
  lua_pop(state, 1);
}

}  // namespace perigee::script
