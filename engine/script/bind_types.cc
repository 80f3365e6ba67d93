// What the specs of routes stand on (lua/perigee/spec_code.lua): typed values straight out of a request, and the search
// for another route when a parameter was refused. The leaves are called by compiled Lua through the FFI: they never
// enter Lua and never throw.

#include <lua.hpp>

#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "http/media_type.h"
#include "http/url.h"
#include "script/bind.h"
#include "script/exchange.h"
#include "script/json_decoder.h"
#include "script/json_object.h"
#include "script/lua_pattern.h"
#include "script/stack_text.h"
#include "script/task.h"
#include "script/typed_values.h"
#include "script/vm.h"

#define PERIGEE_FFI extern "C" __attribute__((visibility("default"), used))

using perigee::http::PathType;
using perigee::script::TaskView;

/// find_value() for the FFI: a ValueVerdict. Without memory to decode a value it counts as refused.
PERIGEE_FFI std::int32_t perigee_find(TaskView* task, std::int32_t source, const char* name, std::size_t size,
                                      std::int32_t type) noexcept {
  using perigee::script::ValueVerdict;
  perigee::script::Exchange& exchange = *task->owner->exchange;
  try {
    return static_cast<std::int32_t>(find_value(exchange, static_cast<perigee::script::ValueSource>(source),
                                                {name, size}, static_cast<PathType>(type)));
  } catch (const std::bad_alloc&) {
    exchange.view.found = {};
    return static_cast<std::int32_t>(ValueVerdict::kRefused);
  }
}

/// parse_value() for the FFI: 1 when the text is of the type.
PERIGEE_FFI std::int32_t perigee_parse(std::int32_t type, const char* text, std::size_t size, double* number) noexcept {
  return perigee::script::parse_value(static_cast<PathType>(type), {text, size}, *number) ? 1 : 0;
}

/// read_json_object() of the body for the FFI: 1 when it could be read so. REQUIRES: the whole body has come.
PERIGEE_FFI std::int32_t perigee_json_object(TaskView* task, perigee::script::JsonField* fields, std::int32_t count,
                                             perigee::script::JsonValue* values) noexcept {
  const perigee::script::Task& owner = *task->owner;
  const auto& head = owner.exchange->head;
  return perigee::http::is_json_type(perigee::http::media_type(head.field(perigee::http::KnownField::kContentType))) &&
                 perigee::script::read_json_object(owner.exchange->view.body.view(), owner.vm.settings().json_depth,
                                                   fields, count, values)
             ? 1
             : 0;
}

/// utf8_characters() for the FFI.
PERIGEE_FFI std::int32_t perigee_characters(const char* text, std::size_t size) noexcept {
  return perigee::script::utf8_characters({text, size});
}

namespace perigee::script {
namespace {

constexpr std::size_t kMostShown = 64;  // bytes of a client's value in an error

// rematch(task) -> the number of the next route (from 1) that takes the path of a request whose route refused a
// parameter, its parameters published; nil when there is none.
int rematch(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  const Vm& vm = Vm::of(state);
  exchange.refused.push_back(exchange.view.route);
  const auto match = vm.router().match_again(exchange.head.method, exchange.view.method_text.view(),
                                             exchange.view.path.view(), exchange.parameters, exchange.refused);
  if (match.outcome != http::Router::Outcome::kFound) {
    return 0;
  }
  exchange.view.parameter_count = exchange.parameters.count;
  exchange.view.route = match.route;
  lua_pushinteger(state, match.route + 1);
  return 1;
}

// excerpt(text) -> what an error shows of it.
int show_excerpt(lua_State* state) {
  const std::string shown = excerpt(check_text(state, 1), kMostShown);
  lua_pushlstring(state, shown.data(), shown.size());
  return 1;
}

// values(task, source, name) -> every value of the name in order, decoded; nil when there is none.
int values(lua_State* state) {
  const Exchange& exchange = exchange_of(state);
  const auto source = static_cast<ValueSource>(luaL_checkinteger(state, 2));
  const bool encoded = source == ValueSource::kQuery || source == ValueSource::kForm;
  const auto found = all_values(exchange, source, check_text(state, 3));
  if (found.empty()) {
    return 0;
  }
  lua_createtable(state, static_cast<int>(found.size()), 0);
  std::string room;
  int index = 0;
  for (std::string_view value : found) {
    if (encoded && http::needs_form_decoding(value)) {
      room.resize(value.size());
      room.resize(http::form_decode(value, room.data()));
      value = room;
    }
    lua_pushlstring(state, value.data(), value.size());
    lua_rawseti(state, -2, ++index);
  }
  return 1;
}

// json_body(task, members) -> the body's value; or nil and why: "absent", "type", or what is wrong with its JSON.
// `members` says how many an object is likely to have.
int json_body(lua_State* state) {
  const Exchange& exchange = exchange_of(state);
  lua_settop(state, 2);
  const std::string_view body = exchange.view.body.view();
  if (body.empty()) {
    lua_pushnil(state);
    lua_pushliteral(state, "absent");
    return 2;
  }
  if (!http::is_json_type(http::media_type(exchange.head.field(http::KnownField::kContentType)))) {
    lua_pushnil(state);
    lua_pushliteral(state, "type");
    return 2;
  }
  std::string error;
  if (decode_json(state, body, {Vm::of(state).settings().json_depth, static_cast<int>(lua_tointeger(state, 2))},
                  error)) {
    return 1;
  }
  lua_pushnil(state);
  lua_pushlstring(state, error.data(), error.size());
  return 2;
}

// media_type(task) -> that of the request's Content-Type, in lower case; nil without one.
int content_media_type(lua_State* state) {
  const std::string_view type = http::media_type(exchange_of(state).head.field(http::KnownField::kContentType));
  if (type.empty()) {
    return 0;
  }
  std::string folded(type);
  for (char& letter : folded) {
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
  }
  lua_pushlstring(state, folded.data(), folded.size());
  return 1;
}

// path_types() -> { name = { number, what it expects } } of the types that a path may name.
int path_types(lua_State* state) {
  lua_newtable(state);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(PathType::kCustom); ++i) {
    const auto type = static_cast<PathType>(i);
    const std::string_view name = http::path_type_name(type);
    const std::string_view expected = http::path_type_expected(type);
    lua_pushlstring(state, name.data(), name.size());
    lua_createtable(state, 2, 0);
    lua_pushinteger(state, i);
    lua_rawseti(state, -2, 1);
    lua_pushlstring(state, expected.data(), expected.size());
    lua_rawseti(state, -2, 2);
    lua_rawset(state, -3);
  }
  return 1;
}

// pattern_mistake(pattern) -> what is wrong with a Lua pattern; nil where nothing is.
int mistake_of_pattern(lua_State* state) {
  std::size_t size = 0;
  const char* const text = luaL_checklstring(state, 1, &size);
  const std::string_view mistake = pattern_mistake({text, size});
  if (mistake.empty()) {
    return 0;
  }
  lua_pushlstring(state, mistake.data(), mistake.size());
  return 1;
}

}  // namespace

void bind_types(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"rematch", rematch},
                                            {"excerpt", show_excerpt},
                                            {"values", values},
                                            {"json_body", json_body},
                                            {"media_type", content_media_type},
                                            {"path_types", path_types},
                                            {"pattern_mistake", mistake_of_pattern},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
