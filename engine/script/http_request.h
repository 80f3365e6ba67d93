#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "client/http_call.h"

struct lua_State;

namespace perigee::script {

class Task;

/// Seconds that a request may take where the program does not say: to connect, between two readings, in all.
struct HttpTimes {
  double connect = 10;
  double read = 30;
  double total = 30;
};

/// Why a request is not made.
struct HttpRefusal {
  std::string message;
  bool raises = false;  ///< only the program can have caused it
};

using HttpRequest = tl::expected<client::HttpCall::Request, HttpRefusal>;

/// Fills in a new request of which nothing is said but what is given here, for `task`, which may be null; where it is
/// refused, partly. REQUIRES: the method is one of perigee.http's own.
[[nodiscard]] tl::expected<void, HttpRefusal> fill_plain(client::HttpCall::Request& request, client::Network& network,
                                                         const Task* task, std::string_view method,
                                                         std::string_view url, double seconds);

/// What the table at index 1 asks for. Its fields are checked in Lua but for url, headers and proxy: method, url,
/// headers, body, streams, keeps, connect, read, total, max_body, proxy, block_private, tls. Raises nothing but the
/// want of memory.
[[nodiscard]] HttpRequest read_request(lua_State* state, client::Network& network, const Task* task);

}  // namespace perigee::script
