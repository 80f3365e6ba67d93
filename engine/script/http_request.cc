#include "script/http_request.h"

#include <lua.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "client/network.h"
#include "http/client_url.h"
#include "http/field_syntax.h"
#include "script/origin.h"
#include "script/stack_text.h"
#include "script/tls_options.h"

namespace perigee::script {
namespace {

using client::HttpCall;

constexpr double kLongest = 1e9;  // seconds

tl::unexpected<HttpRefusal> refuse(std::string message, bool raises) {
  return tl::unexpected(HttpRefusal{std::move(message), raises});
}

double number_field(lua_State* state, const char* name, double absent) {
  lua_getfield(state, 1, name);
  const double value = lua_isnumber(state, -1) != 0 ? lua_tonumber(state, -1) : absent;
  lua_pop(state, 1);
  return value;
}

bool flag_field(lua_State* state, const char* name) {
  lua_getfield(state, 1, name);
  const bool value = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return value;
}

Milliseconds milliseconds(double seconds) {
  return static_cast<Milliseconds>(std::ceil(std::clamp(seconds, 0.0, kLongest) * 1000));
}

// What of the headers the client says itself where the program does not.
struct Said {
  bool agent = false, accept = false, coding = false, authorization = false, trace = false;
};

// One line; the error where it can't be sent.
std::string add_field(HttpCall::Request& request, Said& said, std::string_view name, std::string_view value) {
  if (!http::is_token(name)) {
    return "a header's name is no token";
  }
  if (!http::is_field_value(value)) {
    return "the header '" + std::string(name) + "' holds CR, LF, NUL or another control byte";
  }
  for (const char* own : {"content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}) {
    if (http::equal_fold(name, own)) {
      return "the header '" + std::string(name) + "' is said by perigee.http itself";
    }
  }
  if (http::equal_fold(name, "host")) {
    request.host = value;
    return http::is_host(value) && !value.empty() ? "" : "the header 'host' is malformed";
  }
  said.agent = said.agent || http::equal_fold(name, "user-agent");
  said.accept = said.accept || http::equal_fold(name, "accept");
  said.coding = said.coding || http::equal_fold(name, "accept-encoding");
  said.trace = said.trace || http::equal_fold(name, "traceparent");
  said.authorization = said.authorization || http::equal_fold(name, "authorization");
  request.fields.append(name).append(": ").append(value).append("\r\n");
  return "";
}

// The table of headers on top of the stack; a list sends the field once an item. The error, or "".
std::string add_fields(lua_State* state, HttpCall::Request& request, Said& said) {
  const int table = lua_gettop(state);
  lua_pushnil(state);
  while (lua_next(state, table) != 0) {
    if (lua_type(state, -2) != LUA_TSTRING) {
      return "a header's name is no string";
    }
    const std::string name(string_at(state, -2));
    const bool list = lua_istable(state, -1);
    const int count = list ? static_cast<int>(lua_objlen(state, -1)) : 1;
    for (int i = 1; i <= count; ++i) {
      list ? lua_rawgeti(state, -1, i) : lua_pushvalue(state, -1);
      const int type = lua_type(state, -1);
      if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        return "the header '" + name + "' is no string";
      }
      if (const std::string error = add_field(request, said, name, string_at(state, -1)); !error.empty()) {
        return error;
      }
      lua_pop(state, 1);
    }
    lua_pop(state, 1);
  }
  return "";
}

// The lines that the client says itself.
std::string own_fields(const Said& said, const http::ClientUrl& url) {
  std::string fields;
  if (!said.agent) {
    fields += "User-Agent: perigee\r\n";
  }
  if (!said.accept) {
    fields += "Accept: */*\r\n";
  }
  if (!said.coding) {
    fields += "Accept-Encoding: gzip, br\r\n";
  }
  if (!said.authorization && !url.userinfo.empty()) {
    fields += "Authorization: " + http::basic_credentials(url.userinfo) + "\r\n";
  }
  return fields;
}

void add_trace(HttpCall::Request& request, const Task* task) {
  if (const std::string trace = outgoing_trace(task); !trace.empty()) {
    request.fields.append("traceparent: ").append(trace).append("\r\n");
    if (const std::string vendors = outgoing_state(task); !vendors.empty()) {
      request.fields.append("tracestate: ").append(vendors).append("\r\n");
    }
  }
}

// Reads the fields `proxy`, `block_private` and `tls` over a usual plan. The error, or "".
std::string read_plan(lua_State* state, client::HttpConnector::Plan& plan) {
  lua_getfield(state, 1, "proxy");
  if (lua_type(state, -1) == LUA_TSTRING) {
    auto proxy = client::Proxy::parse(string_at(state, -1));
    if (!proxy) {
      return "the option 'proxy': " + proxy.error().message;
    }
    plan.proxy = *std::move(proxy);
  } else if (!lua_isnil(state, -1)) {
    plan.proxy.reset();
  }
  lua_getfield(state, 1, "block_private");
  if (!lua_isnil(state, -1)) {
    plan.block_private = lua_toboolean(state, -1) != 0;
  }
  lua_getfield(state, 1, "tls");
  if (plan.url.secure && lua_istable(state, -1)) {
    plan.security = tls_options(state, lua_gettop(state));
    if (plan.security.target.server_name.empty()) {
      plan.security.target.server_name = plan.url.host;
    }
  }
  lua_pop(state, 3);
  return "";
}

bool sends_length(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// Reads the fields `body`, `streams`, `keeps` and `max_body`.
void read_bodies(lua_State* state, client::Network& network, HttpCall::Request& request) {
  lua_getfield(state, 1, "body");
  request.has_body = lua_type(state, -1) == LUA_TSTRING || sends_length(request.method);
  if (lua_type(state, -1) == LUA_TSTRING) {
    request.body = string_at(state, -1);
  }
  lua_pop(state, 1);
  request.streams = flag_field(state, "streams");
  request.keeps = flag_field(state, "keeps");
  const double usual = request.keeps ? 0 : static_cast<double>(network.settings().most_answered);
  request.most = static_cast<std::uint64_t>(std::clamp(number_field(state, "max_body", usual), 0.0, 9e15));
}

// Reads the fields `connect`, `read` and `total`.
void read_times(lua_State* state, HttpCall::Request& request) {
  constexpr HttpTimes kUsual;
  request.connect = milliseconds(number_field(state, "connect", kUsual.connect));
  request.read = milliseconds(number_field(state, "read", kUsual.read));
  request.total = milliseconds(number_field(state, "total", kUsual.total));
}

// Whom the url asks, and for what. Nothing, or why not.
tl::expected<void, HttpRefusal> address(HttpCall::Request& request, client::Network& network, std::string_view url) {
  client::HttpPeers& peers = network.http_peers();
  if (const auto* known = peers.recall(url); known != nullptr) [[likely]] {
    if (const auto target = url.substr(known->origin.size()); http::is_plain_target(target)) [[likely]] {
      request.target = target;
      if (request.peer != known->peer) {
        request.peer = known->peer;
      }
      return {};
    }
  }
  auto found = peers.find(network, url);
  if (!found) {
    return refuse("refused: " + found.error().message, false);
  }
  if (found->is_new) {
    found->peer->have_in_common(own_fields({}, found->peer->plan.url));
  }
  request.peer = std::move(found->peer);
  request.target = std::move(found->target);
  return {};
}

}  // namespace

tl::expected<void, HttpRefusal> fill_plain(HttpCall::Request& request, client::Network& network, const Task* task,
                                           std::string_view method, std::string_view url, double seconds) {
  if (auto addressed = address(request, network, url); !addressed) {
    return addressed;
  }
  request.method = method;
  request.usual_fields = request.decodes = true;
  add_trace(request, task);
  request.has_body = sends_length(method);
  const Milliseconds total = milliseconds(seconds);
  request.connect = std::min(milliseconds(HttpTimes().connect), total);
  request.read = total;
  request.total = total;
  request.most = network.settings().most_answered;
  return {};
}

HttpRequest read_request(lua_State* state, client::Network& network, const Task* task) {
  HttpCall::Request request;
  lua_getfield(state, 1, "url");
  auto url = http::parse_client_url(string_at(state, -1));
  if (!url) {
    return refuse("refused: " + url.error().message, false);
  }
  request.target = url->target;
  lua_getfield(state, 1, "method");
  request.method = string_at(state, -1);
  if (!http::is_token(request.method) || request.method == "CONNECT") {
    return refuse("the method is no token, or CONNECT", true);
  }
  client::HttpConnector::Plan plan = client::usual_plan(network, *std::move(url));
  if (std::string error = read_plan(state, plan); !error.empty()) {
    return refuse(std::move(error), true);
  }
  Said said;
  lua_getfield(state, 1, "headers");
  if (std::string error = lua_istable(state, -1) ? add_fields(state, request, said) : ""; !error.empty()) {
    return refuse(std::move(error), true);
  }
  request.fields += own_fields(said, plan.url);
  request.decodes = !said.coding;
  if (!said.trace) {
    add_trace(request, task);
  }
  request.peer = std::make_shared<client::HttpPeer>(network, std::move(plan));
  read_bodies(state, network, request);
  read_times(state, request);
  return request;
}

}  // namespace perigee::script
