#include "script/plain_answer.h"

#include <lua.hpp>

#include <algorithm>
#include <new>

#include "http/response.h"
#include "script/answer_fields.h"
#include "script/bind.h"
#include "script/json_encoder.h"
#include "script/json_table.h"

namespace perigee::script {
namespace {

// How deep a table may be nested to be written here by LuaJIT's interface. Each level takes three slots at most, and no
// coroutine has fewer than LUA_MINSTACK of them free once it has returned (LuaJIT begins with twice as many and never
// gives those back): its stack need not grow, which might raise.
constexpr int kShallow = 4;
static_assert(3 * kShallow + 5 <= LUA_MINSTACK);

// The headers a handler returned, where they are all strings.
bool take_headers(lua_State* coroutine, int index, Answer& answer) {
  lua_pushnil(coroutine);
  while (lua_next(coroutine, index) != 0) {
    if (lua_type(coroutine, -2) != LUA_TSTRING || lua_type(coroutine, -1) != LUA_TSTRING) {
      return false;
    }
    std::size_t name_size = 0;
    std::size_t value_size = 0;
    const char* name = lua_tolstring(coroutine, -2, &name_size);
    const char* value = lua_tolstring(coroutine, -1, &value_size);
    if (add_field(answer, {name, name_size}, {value, value_size}) != FieldVerdict::kAdded) {
      return false;
    }
    lua_pop(coroutine, 1);
  }
  return true;
}

// The status in slot 1; 0 where that is none.
int status_of(lua_State* coroutine) {
  if (lua_type(coroutine, 1) != LUA_TNUMBER) {
    return 0;
  }
  const double number = lua_tonumber(coroutine, 1);
  const int status = static_cast<int>(number);
  return status >= 200 && status <= 599 && status == number ? status : 0;
}

// Where tables are not known: asks LuaJIT's interface.
[[gnu::noinline]] bool write_stepwise(lua_State* coroutine, int index, int depth, ByteBuffer& out) {
  return !is_response(coroutine, index) && JsonEncoder(coroutine, out, std::min(kShallow, depth)).encode_here(index);
}

// A table without a mark of ours.
bool write_json(Vm& vm, lua_State* coroutine, int index, ByteBuffer& out) {
  const int depth = vm.settings().json_depth;
  if (RawTable::is_known()) [[likely]] {
    const auto& table = *static_cast<const RawTable*>(RawStack(coroutine).address(index));
    return (table.metatable == nullptr || !is_response(coroutine, index)) &&
           write_json_table(table, vm.json_marks(), {depth, JsonEncoder::kMaxSize}, out);
  }
  return write_stepwise(coroutine, index, depth, out);
}

bool take_json(Vm& vm, lua_State* coroutine, int index, Answer& answer) try {
  ByteBuffer& out = vm.scratch();
  JsonEncoder::clear(out);
  if (!write_json(vm, coroutine, index, out)) {
    return false;
  }
  answer.body = out.readable();
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool take_text(lua_State* coroutine, int index, Answer& answer) {
  answer.body = RawStack(coroutine).text(index);
  return true;
}

// The body in slot `index`, and the headers behind it where there are any.
bool take_values(Vm& vm, lua_State* coroutine, int index, bool is_text, bool has_headers, Answer& answer) {
  if (answer.content_type.empty()) {
    answer.content_type = is_text ? http::kPlainText : http::kJsonType;
  }
  if (has_headers && (lua_type(coroutine, index + 1) != LUA_TTABLE || !take_headers(coroutine, index + 1, answer))) {
    return false;
  }
  return is_text ? take_text(coroutine, index, answer) : take_json(vm, coroutine, index, answer);
}

}  // namespace

bool take_plain_answer(Vm& vm, Task& task) {
  lua_State* coroutine = task.coroutine;
  const RawStack stack(coroutine);
  const int count = stack.count();
  int body = 1;
  int status = task.default_status;
  if (count > 1) {
    status = count <= 3 ? status_of(coroutine) : 0;
    body = 2;
  }
  if (status == 0 || count == 0) {
    return false;
  }
  const bool is_text = stack.is_string(body);
  if (!is_text && !stack.is_table(body)) {
    return false;
  }
  Answer& answer = task.exchange->answer;
  if (!take_values(vm, coroutine, body, is_text, count == 3, answer)) {
    lua_settop(coroutine, count);
    answer.reset();
    return false;
  }
  answer.status = status;
  return true;
}

}  // namespace perigee::script
