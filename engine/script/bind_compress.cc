// Content codings: which one a client wants, and bodies in it.

#include <lua.hpp>

#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "http/compressor.h"
#include "script/bind.h"
#include "script/stack_text.h"

namespace perigee::script {
namespace {

using http::Coding;
using http::Compressor;

constexpr const char* kCompressor = "perigee.Compressor";

Coding check_coding(lua_State* state, int index) {
  static constexpr const char* kNames[] = {"gzip", "br", nullptr};
  return luaL_checkoption(state, index, nullptr, kNames) == 0 ? Coding::kGzip : Coding::kBrotli;
}

int check_level(lua_State* state, int index, Coding coding) {
  const int level = static_cast<int>(luaL_checkinteger(state, index));
  const bool gzip = coding == Coding::kGzip;
  luaL_argcheck(state, level >= (gzip ? 1 : 0) && level <= (gzip ? Compressor::kMostGzip : Compressor::kMostBrotli),
                index, "no level of that coding");
  return level;
}

// Pushes what comes of some bytes; false without memory.
bool push_written(lua_State* state, Compressor& compressor, std::string_view bytes, Compressor::Reach reach) {
  std::string out;
  try {
    compressor.write(bytes, reach, out);
  } catch (const std::bad_alloc&) {
    return false;
  }
  lua_pushlstring(state, out.data(), out.size());
  return true;
}

// Pushes a whole body in a coding; false without memory.
bool push_compressed(lua_State* state, Coding coding, int level, std::string_view text) try {
  Compressor compressor(coding, level, text.size());
  return push_written(state, compressor, text, Compressor::Reach::kEnd);
} catch (const std::bad_alloc&) {
  return false;
}

// choose_coding(accept_encoding, gzip, brotli) -> "br", "gzip" or nil: the coding on offer that a client wants.
int choose_coding(lua_State* state) {
  const auto wishes = http::parse_accept_encoding(check_text(state, 1));
  const auto coding = http::choose_coding(wishes, lua_toboolean(state, 2) != 0, lua_toboolean(state, 3) != 0);
  if (!coding) {
    lua_pushnil(state);
    return 1;
  }
  switch (*coding) {
    case Coding::kGzip:
      lua_pushliteral(state, "gzip");
      break;
    case Coding::kBrotli:
      lua_pushliteral(state, "br");
      break;
  }
  return 1;
}

// compress(coding, level, text) -> the text in that coding.
int compress(lua_State* state) {
  const Coding coding = check_coding(state, 1);
  const int level = check_level(state, 2, coding);
  return push_compressed(state, coding, level, check_text(state, 3)) ? 1 : luaL_error(state, "not enough memory");
}

bool construct(void* place, Coding coding, int level) try {
  new (place) Compressor(coding, level);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

// compressor(coding, level) -> one for a body that comes in parts.
int compressor(lua_State* state) {
  const Coding coding = check_coding(state, 1);
  const int level = check_level(state, 2, coding);
  if (!construct(lua_newuserdata(state, sizeof(Compressor)), coding, level)) {
    return luaL_error(state, "not enough memory");
  }
  luaL_getmetatable(state, kCompressor);
  lua_setmetatable(state, -2);
  return 1;
}

// compressor_write(compressor, bytes, last) -> what can be sent now, such that all bytes so far can be read.
int compressor_write(lua_State* state) {
  auto* compressor = static_cast<Compressor*>(luaL_checkudata(state, 1, kCompressor));
  const std::string_view bytes = check_text(state, 2);
  const auto reach = lua_toboolean(state, 3) != 0 ? Compressor::Reach::kEnd : Compressor::Reach::kFlush;
  luaL_argcheck(state, !compressor->ended(), 1, "the body has ended");
  return push_written(state, *compressor, bytes, reach) ? 1 : luaL_error(state, "not enough memory");
}

int end_compressor(lua_State* state) {
  static_cast<Compressor*>(lua_touserdata(state, 1))->~Compressor();
  return 0;
}

}  // namespace

void bind_compress(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"choose_coding", choose_coding},
                                            {"compress", compress},
                                            {"compressor", compressor},
                                            {"compressor_write", compressor_write},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  luaL_newmetatable(state, kCompressor);
  lua_pushcfunction(state, end_compressor);
  lua_setfield(state, -2, "__gc");
  lua_pushliteral(state, "a compressor");
  lua_setfield(state, -2, "__metatable");
  lua_pop(state, 1);
}

}  // namespace perigee::script
