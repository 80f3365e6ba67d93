// perigee.socket: its sockets as userdata. What waits is stepped: a step returns true and its values; nothing, where
// the task must wait and step again; or false, the error and, of what receives, what had come.

#include <lua.hpp>

#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <string_view>

#include "client/datagram_socket.h"
#include "client/network.h"
#include "client/socket.h"
#include "script/bind.h"
#include "script/stack_text.h"
#include "script/task_waker.h"
#include "script/tls_options.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

using client::DatagramSocket;
using client::Socket;

constexpr const char* kSocket = "perigee.Socket";
constexpr const char* kDatagram = "perigee.Datagram";
constexpr double kLongestWait = 1e9;  // seconds

Socket& socket_at(lua_State* state) {
  return *static_cast<Socket*>(luaL_checkudata(state, 1, kSocket));
}

DatagramSocket& datagram_at(lua_State* state) {
  return *static_cast<DatagramSocket*>(luaL_checkudata(state, 1, kDatagram));
}

Milliseconds check_patience(lua_State* state, int index) {
  const double seconds = luaL_checknumber(state, index);
  return static_cast<Milliseconds>(std::ceil(std::clamp(seconds, 0.0, kLongestWait) * 1000));
}

std::size_t check_size(lua_State* state, int index) {
  return static_cast<std::size_t>(std::clamp(luaL_checknumber(state, index), 0.0, 9e15));
}

template <typename Kind>
int close_userdata(lua_State* state) {
  static_cast<Kind*>(lua_touserdata(state, 1))->~Kind();
  return 0;
}

template <typename Kind>
void make_metatable(lua_State* state, const char* name) {
  luaL_newmetatable(state, name);
  lua_pushcfunction(state, close_userdata<Kind>);
  lua_setfield(state, -2, "__gc");
  lua_pop(state, 1);
}

template <typename Kind>
int waits(lua_State* state, Kind& socket) {
  socket.sleep(waker_of(*Vm::of(state).current()));
  return 0;
}

template <typename Kind>
int failed(lua_State* state, const Kind& socket) {
  lua_pushboolean(state, 0);
  lua_pushlstring(state, socket.error().data(), socket.error().size());
  return 2;
}

// What a step without values has come to.
template <typename Kind>
int settle(lua_State* state, Kind& socket, typename Kind::Step step) {
  switch (step) {
    case Kind::Step::kDone:
      lua_pushboolean(state, 1);
      return 1;
    case Kind::Step::kWaits:
      return waits(state, socket);
    case Kind::Step::kFailed:
      break;
  }
  return failed(state, socket);
}

// What a step that receives has come to.
int settle_received(lua_State* state, Socket& socket, Socket::Step step) {
  if (step == Socket::Step::kWaits) {
    return waits(state, socket);
  }
  lua_pushboolean(state, step == Socket::Step::kDone ? 1 : 0);
  int count = 1;
  if (step == Socket::Step::kFailed) {
    lua_pushlstring(state, socket.error().data(), socket.error().size());
    ++count;
  }
  lua_pushlstring(state, socket.received().data(), socket.received().size());
  socket.take();
  return count + 1;
}

// socket_new() -> a Socket.
int socket_new(lua_State* state) {
  Vm& vm = Vm::of(state);
  void* const place = lua_newuserdata(state, sizeof(Socket));
  luaL_getmetatable(state, kSocket);
  new (place) Socket(vm.host().network(), vm.socket_pool());
  lua_setmetatable(state, -2);
  return 1;
}

// socket_begin_connect(socket, host, port, pool name or "", seconds, TLS options or nil)
int socket_begin_connect(lua_State* state) {
  Socket& socket = socket_at(state);
  client::Destination destination;
  destination.host = check_text(state, 2);
  destination.port = static_cast<int>(luaL_checkinteger(state, 3));
  const std::string_view pool = check_text(state, 4);
  const Milliseconds patience = check_patience(state, 5);
  if (lua_isnoneornil(state, 6)) {
    socket.begin_connect(std::move(destination), pool, nullptr, patience);
  } else {
    const Socket::Security security = tls_options(state, 6);
    socket.begin_connect(std::move(destination), pool, &security, patience);
  }
  return 0;
}

int socket_connect(lua_State* state) {
  Socket& socket = socket_at(state);
  return settle(state, socket, socket.connect());
}

// socket_begin_handshake(socket, seconds, TLS options)
int socket_begin_handshake(lua_State* state) {
  Socket& socket = socket_at(state);
  const Milliseconds patience = check_patience(state, 2);
  socket.begin_handshake(tls_options(state, 3), patience);
  return 0;
}

// socket_handshake(socket) -> true, the protocol that ALPN chose or "", TLS's version
int socket_handshake(lua_State* state) {
  Socket& socket = socket_at(state);
  const int count = settle(state, socket, socket.handshake());
  if (const net::TlsSession* tls = socket.tls(); count == 1 && tls != nullptr) {
    lua_pushlstring(state, tls->alpn().data(), tls->alpn().size());
    lua_pushlstring(state, tls->version().data(), tls->version().size());
    return 3;
  }
  return count;
}

void add_output(lua_State* state, int index, std::string& output, int depth) {
  if (lua_type(state, index) == LUA_TSTRING || lua_type(state, index) == LUA_TNUMBER) {
    lua_pushvalue(state, index);  // a number must not be made a string where it stands
    output.append(check_text(state, -1));
    lua_pop(state, 1);
    return;
  }
  if (lua_type(state, index) != LUA_TTABLE || depth > 8) {
    luaL_error(state, "bad argument #1 to 'send' (strings, numbers and lists of them can be sent, got %s)",
               luaL_typename(state, index));
  }
  const auto length = static_cast<int>(lua_objlen(state, index));
  luaL_checkstack(state, 4, "the data to be sent");
  for (int i = 1; i <= length; ++i) {
    lua_rawgeti(state, index, i);
    add_output(state, lua_gettop(state), output, depth + 1);
    lua_pop(state, 1);
  }
}

// socket_begin_send(socket, seconds, a string or a list of strings) -> its bytes
int socket_begin_send(lua_State* state) {
  Socket& socket = socket_at(state);
  socket.begin_send(check_patience(state, 2));
  add_output(state, 3, socket.output(), 0);
  lua_pushnumber(state, static_cast<double>(socket.output().size()));
  return 1;
}

int socket_send(lua_State* state) {
  Socket& socket = socket_at(state);
  return settle(state, socket, socket.send());
}

int socket_begin_receive(lua_State* state) {
  socket_at(state).begin_receive(check_patience(state, 2));
  return 0;
}

int socket_receive_exactly(lua_State* state) {
  Socket& socket = socket_at(state);
  return settle_received(state, socket, socket.receive_exactly(check_size(state, 2)));
}

int socket_receive_some(lua_State* state) {
  Socket& socket = socket_at(state);
  return settle_received(state, socket, socket.receive_some(check_size(state, 2)));
}

int socket_receive_line(lua_State* state) {
  Socket& socket = socket_at(state);
  return settle_received(state, socket, socket.receive_line());
}

int socket_receive_all(lua_State* state) {
  Socket& socket = socket_at(state);
  return settle_received(state, socket, socket.receive_all());
}

// socket_receive_until(socket, mark, most or 0) -> true, what came, whether it ended at the mark
int socket_receive_until(lua_State* state) {
  Socket& socket = socket_at(state);
  const Socket::Step step = socket.receive_until(check_text(state, 2), check_size(state, 3));
  const int count = settle_received(state, socket, step);
  if (step != Socket::Step::kDone) {
    return count;
  }
  lua_pushboolean(state, socket.found_mark() ? 1 : 0);
  return count + 1;
}

// socket_keep(socket, seconds, most or nil) -> true; or false and the error
int socket_keep(lua_State* state) {
  Socket& socket = socket_at(state);
  const auto& settings = Vm::of(state).host().network().settings();
  const Milliseconds idle = lua_isnoneornil(state, 2) ? settings.idle : check_patience(state, 2);
  const std::size_t most = lua_isnoneornil(state, 3) ? settings.pool_size : check_size(state, 3);
  return settle(state, socket,
                socket.keep_alive(idle, std::max<std::size_t>(most, 1)) ? Socket::Step::kDone : Socket::Step::kFailed);
}

int socket_close(lua_State* state) {
  socket_at(state).close();
  return 0;
}

// socket_state(socket) -> whether it is connected, how often it was taken from a pool, whether it is under TLS
int socket_state(lua_State* state) {
  const Socket& socket = socket_at(state);
  lua_pushboolean(state, socket.connected() ? 1 : 0);
  lua_pushinteger(state, socket.uses());
  lua_pushboolean(state, socket.secure() ? 1 : 0);
  return 3;
}

// datagram_new() -> a DatagramSocket.
int datagram_new(lua_State* state) {
  void* const place = lua_newuserdata(state, sizeof(DatagramSocket));
  luaL_getmetatable(state, kDatagram);
  new (place) DatagramSocket(Vm::of(state).host().network());
  lua_setmetatable(state, -2);
  return 1;
}

// datagram_begin_connect(socket, host, port, seconds)
int datagram_begin_connect(lua_State* state) {
  client::Destination destination;
  destination.host = check_text(state, 2);
  destination.port = static_cast<int>(luaL_checkinteger(state, 3));
  datagram_at(state).begin_connect(std::move(destination), check_patience(state, 4));
  return 0;
}

int datagram_connect(lua_State* state) {
  DatagramSocket& socket = datagram_at(state);
  return settle(state, socket, socket.connect());
}

int datagram_begin(lua_State* state) {
  datagram_at(state).begin(check_patience(state, 2));
  return 0;
}

int datagram_send(lua_State* state) {
  DatagramSocket& socket = datagram_at(state);
  std::string bytes;
  add_output(state, 2, bytes, 0);
  return settle(state, socket, socket.send(bytes));
}

// datagram_receive(socket, most) -> true, a datagram
int datagram_receive(lua_State* state) {
  DatagramSocket& socket = datagram_at(state);
  const int count = settle(state, socket, socket.receive(check_size(state, 2)));
  if (count != 1) {
    return count;
  }
  lua_pushlstring(state, socket.received().data(), socket.received().size());
  return 2;
}

int datagram_close(lua_State* state) {
  datagram_at(state).close();
  return 0;
}

int datagram_connected(lua_State* state) {
  lua_pushboolean(state, datagram_at(state).connected() ? 1 : 0);
  return 1;
}

}  // namespace

void bind_socket(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"socket_new", socket_new},
                                            {"socket_begin_connect", socket_begin_connect},
                                            {"socket_connect", socket_connect},
                                            {"socket_begin_handshake", socket_begin_handshake},
                                            {"socket_handshake", socket_handshake},
                                            {"socket_begin_send", socket_begin_send},
                                            {"socket_send", socket_send},
                                            {"socket_begin_receive", socket_begin_receive},
                                            {"socket_receive_exactly", socket_receive_exactly},
                                            {"socket_receive_some", socket_receive_some},
                                            {"socket_receive_line", socket_receive_line},
                                            {"socket_receive_all", socket_receive_all},
                                            {"socket_receive_until", socket_receive_until},
                                            {"socket_keep", socket_keep},
                                            {"socket_close", socket_close},
                                            {"socket_state", socket_state},
                                            {"datagram_new", datagram_new},
                                            {"datagram_begin_connect", datagram_begin_connect},
                                            {"datagram_connect", datagram_connect},
                                            {"datagram_begin", datagram_begin},
                                            {"datagram_send", datagram_send},
                                            {"datagram_receive", datagram_receive},
                                            {"datagram_close", datagram_close},
                                            {"datagram_connected", datagram_connected},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  // Here, where memory that is refused leaves no VM with half of one.
  make_metatable<Socket>(state, kSocket);
  make_metatable<DatagramSocket>(state, kDatagram);
}

}  // namespace perigee::script
