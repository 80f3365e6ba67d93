// Random bytes, digests and the process's own key.

#include <lua.hpp>

#include <string>
#include <string_view>

#include "base/crypto.h"
#include "script/bind.h"

namespace perigee::script {
namespace {

constexpr lua_Integer kMostRandom = 1024 * 1024;

std::string_view check_text(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

int push(lua_State* state, const std::string& bytes) {
  lua_pushlstring(state, bytes.data(), bytes.size());
  return 1;
}

// random(n) -> n random bytes.
int random(lua_State* state) {
  const lua_Integer size = luaL_checkinteger(state, 1);
  luaL_argcheck(state, size >= 0 && size <= kMostRandom, 1, "at most 1 MiB");
  return push(state, random_bytes(static_cast<std::size_t>(size)));
}

// hmac(key, text) -> 32 bytes, HMAC with SHA-256.
int hmac(lua_State* state) {
  const std::string_view key = check_text(state, 1);
  return push(state, hmac_sha256(key, check_text(state, 2)));
}

// process_key() -> 32 bytes that all workers share and that live as long as the process.
int process_key(lua_State* state) {
  static const std::string key = random_bytes(32);
  return push(state, key);
}

}  // namespace

void bind_crypto(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"random", random}, {"hmac", hmac}, {"process_key", process_key}, {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
