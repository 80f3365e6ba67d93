// What req reads natively: whole tables of headers, query, form and cookies, and the cookies it sets.

#include <lua.hpp>

#include <algorithm>
#include <cctype>
#include <string>

#include "http/cookie.h"
#include "http/path_type.h"
#include "http/url.h"
#include "script/bind.h"
#include "script/dispatcher.h"
#include "script/exchange.h"
#include "script/lua_values.h"
#include "script/vm.h"

namespace perigee::script {

Exchange& exchange_of(lua_State* state) {
  const auto* pointer = static_cast<TaskView* const*>(lua_topointer(state, 1));
  if (pointer == nullptr || (*pointer)->owner->exchange == nullptr) {
    luaL_error(state, "request has ended");
  }
  return *(*pointer)->owner->exchange;
}

namespace {

// Pushes `text` decoded as a form's name or value.
void push_decoded(lua_State* state, std::string_view text) {
  if (!http::needs_form_decoding(text)) {
    lua_pushlstring(state, text.data(), text.size());
    return;
  }
  char small[256];
  if (text.size() <= sizeof small) {
    lua_pushlstring(state, small, http::form_decode(text, small));
    return;
  }
  auto* large = static_cast<char*>(lua_newuserdata(state, text.size()));
  lua_pushlstring(state, large, http::form_decode(text, large));
  lua_remove(state, -2);
}

// Pushes a table of the first value of every name; nothing where there are more pairs than allowed.
int push_form(lua_State* state, std::string_view text) {
  const int most = Vm::of(state).settings().form_fields;
  lua_createtable(state, 0, 4);
  http::FormPairs pairs(text);
  for (int count = 0; pairs.next(); ++count) {
    if (count == most) {
      return 0;
    }
    push_decoded(state, pairs.raw_name());
    if (keep_new_name(state)) {
      push_decoded(state, pairs.raw_value());
      lua_rawset(state, -3);
    }
  }
  return 1;
}

int query(lua_State* state) {
  return push_form(state, exchange_of(state).view.query.view());
}

int urlencoded(lua_State* state) {
  return push_form(state, exchange_of(state).body);
}

// Pushes a list of every value of the second argument's name, in order.
int push_values(lua_State* state, std::string_view text) {
  std::size_t size = 0;
  const char* wanted = luaL_checklstring(state, 2, &size);
  http::FormPairs pairs(text);
  lua_newtable(state);
  for (int count = 0; pairs.next();) {
    push_decoded(state, pairs.raw_name());
    std::size_t name_size = 0;
    const char* name = lua_tolstring(state, -1, &name_size);
    const bool same = std::string_view(name, name_size) == std::string_view(wanted, size);
    lua_pop(state, 1);
    if (same) {
      push_decoded(state, pairs.raw_value());
      lua_rawseti(state, -2, ++count);
    }
  }
  return 1;
}

int query_all(lua_State* state) {
  return push_values(state, exchange_of(state).view.query.view());
}

int urlencoded_values(lua_State* state) {
  return push_values(state, exchange_of(state).body);
}

int cookies(lua_State* state) {
  const http::RequestHead& head = exchange_of(state).head;
  lua_createtable(state, 0, 4);
  // RFC 9113 lets a client split its cookies over several fields; some do so in HTTP/1.1 as well.
  for (std::uint16_t at = head.find("cookie"); at != http::RequestHead::kAbsent;
       at = head.find("cookie", static_cast<std::uint16_t>(at + 1))) {
    http::CookiePairs pairs(head.text(head.fields[at].value));
    while (pairs.next()) {
      lua_pushlstring(state, pairs.name().data(), pairs.name().size());
      if (keep_new_name(state)) {
        lua_pushlstring(state, pairs.value().data(), pairs.value().size());
        lua_rawset(state, -3);
      }
    }
  }
  return 1;
}

// headers(task) -> every field by its lower-case name; equal names are joined by ", " (RFC 9110 section 5.3).
int headers(lua_State* state) {
  const http::RequestHead& head = exchange_of(state).head;
  lua_createtable(state, 0, head.field_count);
  for (std::uint16_t i = 0; i < head.field_count; ++i) {
    char name[256];
    const std::string_view raw = head.text(head.fields[i].name);
    const std::size_t size = std::min(raw.size(), sizeof name);
    std::transform(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(size), name,
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    lua_pushlstring(state, name, size);
    const std::string_view value = head.text(head.fields[i].value);
    lua_pushvalue(state, -1);
    lua_rawget(state, -3);
    if (lua_isnil(state, -1)) {
      lua_pop(state, 1);
      lua_pushlstring(state, value.data(), value.size());
    } else {
      lua_pushstring(state, std::string_view(name, size) == "cookie" ? "; " : ", ");
      lua_pushlstring(state, value.data(), value.size());
      lua_concat(state, 3);
    }
    lua_rawset(state, -3);
  }
  return 1;
}

std::string_view optional_string(lua_State* state, const char* key) {
  lua_getfield(state, 4, key);
  std::size_t size = 0;
  const char* text = lua_isnil(state, -1) ? "" : luaL_checklstring(state, -1, &size);
  return {text, size};  // the value stays on the stack, and so alive
}

bool optional_boolean(lua_State* state, const char* key, bool absent) {
  lua_getfield(state, 4, key);
  return lua_isnil(state, -1) ? absent : lua_toboolean(state, -1) != 0;
}

http::SameSite same_site(lua_State* state) {
  const std::string_view text = optional_string(state, "same_site");
  if (text.empty() || text == "lax" || text == "Lax") {
    return http::SameSite::kLax;
  }
  if (text == "strict" || text == "Strict") {
    return http::SameSite::kStrict;
  }
  if (text == "none" || text == "None") {
    return http::SameSite::kNone;
  }
  luaL_error(state, "same_site is 'strict', 'lax' or 'none'");
  return http::SameSite::kUnset;
}

// Seconds that a cookie lives.
std::int64_t max_age(lua_State* state) {
  constexpr double kMost = 1e15;
  lua_getfield(state, 4, "max_age");
  if (lua_isnil(state, -1)) {
    return http::SetCookie::kSessionLifetime;
  }
  const double seconds = luaL_checknumber(state, -1);
  if (!(seconds >= -kMost && seconds <= kMost)) {
    luaL_error(state, "max_age is a number of seconds");
  }
  return static_cast<std::int64_t>(seconds);
}

// set_cookie(task, name, value, options): the line rides on whatever answer is sent.
int set_cookie(lua_State* state) {
  Exchange& exchange = exchange_of(state);
  std::size_t name_size = 0;
  std::size_t value_size = 0;
  const char* name = luaL_checklstring(state, 2, &name_size);
  const char* value = luaL_checklstring(state, 3, &value_size);
  http::SetCookie cookie;
  cookie.name = {name, name_size};
  cookie.value = {value, value_size};
  if (!lua_isnoneornil(state, 4)) {
    luaL_checktype(state, 4, LUA_TTABLE);
    const std::string_view path = optional_string(state, "path");
    cookie.path = path.empty() ? "/" : path;
    cookie.domain = optional_string(state, "domain");
    cookie.http_only = optional_boolean(state, "http_only", true);
    cookie.secure = optional_boolean(state, "secure", false);
    cookie.same_site = same_site(state);
    cookie.max_age = max_age(state);
  }
  auto line = http::set_cookie_line(cookie);
  if (!line) {
    lua_pushlstring(state, line.error().message.data(), line.error().message.size());
    return lua_error(state);
  }
  exchange.answer.cookies += *line;
  return 0;
}

int request_id(lua_State* state) {
  const std::string id = Vm::of(state).host().request_id(exchange_of(state));
  lua_pushlstring(state, id.data(), id.size());
  return 1;
}

int remote_address(lua_State* state) {
  const std::string address = Vm::of(state).host().remote_address(exchange_of(state));
  lua_pushlstring(state, address.data(), address.size());
  return 1;
}

// refusal(pointer) -> status, detail, allow, parameter, expected, got: what Dispatcher::refuse left for entries.refuse.
int refusal(lua_State* state) {
  const auto* why = static_cast<const Refusal*>(lua_touserdata(state, 1));
  lua_pushinteger(state, why->status);
  for (const std::string_view text : {why->detail, why->allow, why->parameter, why->expected, why->got}) {
    text.data() == nullptr ? lua_pushnil(state) : lua_pushlstring(state, text.data(), text.size());
  }
  return 6;
}

// fits_path_type(name, text) -> whether a path parameter of the type takes the text, what the type expects. A type that
// the router does not know takes any text.
int fits_path_type(lua_State* state) {
  const auto type = http::path_type_of(luaL_checkstring(state, 1));
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, 2, &size);
  double number = 0;
  lua_pushboolean(state, !type || http::parse_path_value(*type, {text, size}, number) ? 1 : 0);
  const std::string_view expected = type ? http::path_type_expected(*type) : std::string_view();
  lua_pushlstring(state, expected.data(), expected.size());
  return 2;
}

}  // namespace

void bind_request(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"query", query},
                                            {"urlencoded", urlencoded},
                                            {"urlencoded_values", urlencoded_values},
                                            {"query_all", query_all},
                                            {"cookies", cookies},
                                            {"headers", headers},
                                            {"set_cookie", set_cookie},
                                            {"request_id", request_id},
                                            {"remote_address", remote_address},
                                            {"refusal", refusal},
                                            {"fits_path_type", fits_path_type},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace perigee::script
