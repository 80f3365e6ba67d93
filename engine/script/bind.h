#pragma once

struct lua_State;

namespace perigee::script {

class Exchange;

/// The exchange of the task whose view is the first argument, an FFI pointer. Raises when its request has ended.
[[nodiscard]] Exchange& exchange_of(lua_State* state);

// One function a subject: each adds its C functions to the table on top of the stack, the `perigee.core` module.
void bind_answer(lua_State* state);
void bind_body(lua_State* state);
void bind_compress(lua_State* state);
void bind_errors(lua_State* state);
void bind_file(lua_State* state);
void bind_form(lua_State* state);
void bind_job(lua_State* state);
void bind_json(lua_State* state);
void bind_request(lua_State* state);
void bind_task(lua_State* state);
void bind_system(lua_State* state);
void bind_channel(lua_State* state);
void bind_crypto(lua_State* state);
void bind_session(lua_State* state);
void bind_shared(lua_State* state);
void bind_socket(lua_State* state);
void bind_http(lua_State* state);
void bind_test(lua_State* state);
void bind_types(lua_State* state);

/// Whether the value at `index` is a response value (lua/perigee/response.lua). Raises nothing.
[[nodiscard]] bool is_response(lua_State* state, int index);

/// Answers with the perigee.File at `index`: fills the answer's status, lines and body; `whole`: as it is, whatever the
/// request asks. False when the request's conditions or ranges fail: the answer's status is then 412 or 416.
[[nodiscard]] bool answer_with_file(lua_State* state, int index, Exchange& exchange, bool whole);

/// Registry keys by address.
struct RegistryKeys {
  static inline char vm = 0;        ///< light userdata: the Vm
  static inline char response = 0;  ///< the metatable of response values
  static inline char array = 0;     ///< the metatable that marks JSON arrays
  static inline char wait = 0;      ///< what a waiting task yields
};

}  // namespace perigee::script
