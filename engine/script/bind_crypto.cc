// Random bytes, digests, encodings, the process's own key, and passwords on other threads.

#include <lua.hpp>

#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto.h"
#include "base/password.h"
#include "base/work_queue.h"
#include "script/bind.h"
#include "script/errands.h"
#include "script/stack_text.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

constexpr lua_Integer kMostRandom = 1024 * 1024;

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

// sha256(text) -> 32 bytes.
int digest(lua_State* state) {
  return push(state, sha256(check_text(state, 1)));
}

// hmac(key, text[, "sha1"|"sha256"|"sha512"]) -> 20, 32 or 64 bytes; SHA-256 unless another is named.
int hmac_of(lua_State* state) {
  static constexpr const char* kNames[] = {"sha1", "sha256", "sha512", nullptr};
  const std::string_view key = check_text(state, 1);
  const std::string_view text = check_text(state, 2);
  return push(state, hmac(static_cast<Digest>(luaL_checkoption(state, 3, "sha256", kNames)), key, text));
}

int hex(lua_State* state) {
  return push(state, to_hex(check_text(state, 1)));
}

// unhex(text) -> bytes, or nil where it is no hexadecimal text.
int unhex(lua_State* state) {
  const auto bytes = from_hex(check_text(state, 1));
  return bytes ? push(state, *bytes) : 0;
}

// base64(bytes, url) -> text.
int base64(lua_State* state) {
  return push(state, to_base64(check_text(state, 1), lua_toboolean(state, 2) != 0 ? Base64::kUrl : Base64::kStandard));
}

// unbase64(text, url) -> bytes, or nil where it is no such text.
int unbase64(lua_State* state) {
  const auto bytes = from_base64(check_text(state, 1), lua_toboolean(state, 2) != 0 ? Base64::kUrl : Base64::kStandard);
  return bytes ? push(state, *bytes) : 0;
}

// process_key() -> 32 bytes that all workers share and that live as long as the process.
int process_key(lua_State* state) {
  static const std::string key = random_bytes(32);
  return push(state, key);
}

// Has the password hashed, or compared, by another thread; false when too many wait.
bool begin_password(Vm& vm, std::string_view password, std::optional<std::string_view> hash) {
  const Errands::Ticket ticket = vm.errands().begin(*vm.current());
  auto work = [ticket, password = std::string(password), hash = std::string(hash.value_or("")),
               verify = hash.has_value()] {
    if (ticket.wanted()) {
      ticket.deliver(!verify ? hash_password(password) : verify_password(password, hash) ? "yes" : "no");
    }
  };
  if (!vm.host().helpers().offer(std::move(work))) {
    vm.errands().leave(*vm.current());
    return false;
  }
  return true;
}

// password_begin(password[, hash]) -> whether the hash is being made, or compared; false when too many wait. The task
// must wait next, and finds the result by errand_take().
int password_begin(lua_State* state) {
  const std::string_view password = check_text(state, 1);
  const bool verify = !lua_isnoneornil(state, 2);
  const std::string_view hash = verify ? check_text(state, 2) : std::string_view();
  Vm& vm = Vm::of(state);
  bool begun = false;
  try {
    begun = begin_password(vm, password, verify ? std::optional(hash) : std::nullopt);
  } catch (const std::bad_alloc&) {
    vm.errands().leave(*vm.current());
  }
  lua_pushboolean(state, begun ? 1 : 0);
  return 1;
}

}  // namespace

void bind_crypto(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"random", random},
                                            {"sha256", digest},
                                            {"hmac", hmac_of},
                                            {"hex", hex},
                                            {"unhex", unhex},
                                            {"base64", base64},
                                            {"unbase64", unbase64},
                                            {"process_key", process_key},
                                            {"password_begin", password_begin},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
