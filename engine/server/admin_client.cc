#include "server/admin_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "net/socket_address.h"

namespace perigee::server {
namespace {

constexpr time_t kReloadPatience = 120;  // seconds
constexpr time_t kHealthPatience = 5;

struct Socket {
  int fd = -1;
  ~Socket() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

// Sends a request and reads to the end of the connection.
Result<std::string> round_trip(const net::SocketAddress& address, const std::string& request, time_t seconds) {
  const Socket socket{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{seconds, 0};
  setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(socket.fd, address.get(), address.size()) != 0) {
    return fail("no server answers on the admin port " + address.text() + ": " + std::strerror(errno));
  }
  std::string answer;
  char bytes[4096];
  ssize_t count = send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL);
  while (count > 0) {
    count = recv(socket.fd, bytes, sizeof bytes, 0);
    if (count > 0) {
      answer.append(bytes, static_cast<std::size_t>(count));
    }
  }
  if (count < 0) {
    return fail("the admin port " + address.text() + " did not answer: " + std::strerror(errno));
  }
  return answer;
}

std::string authorization(const std::string& token) {
  return token.empty() ? std::string() : "Authorization: Bearer " + token + "\r\n";
}

struct Reply {
  std::string_view status;
  std::string_view body;
};

Result<Reply> read_reply(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string_view::npos || !answer.starts_with("HTTP/1.1 ")) {
    return fail("the admin port gave no answer that can be read");
  }
  return Reply{answer.substr(9, 3), answer.substr(end + 4)};
}

// What a problem document says, or all of it where it says nothing. The server's own sentences have no quotes.
std::string_view detail_of(std::string_view problem) {
  constexpr std::string_view kKey = "\"detail\":\"";
  const std::size_t at = problem.find(kKey);
  if (at == std::string_view::npos) {
    return problem;
  }
  const std::string_view rest = problem.substr(at + kKey.size());
  return rest.substr(0, rest.find('"'));
}

tl::unexpected<Error> refused(const Reply& reply) {
  return fail("the admin port refused (" + std::string(reply.status) + "): " + std::string(detail_of(reply.body)));
}

Result<ReloadResult> read_reload(const std::string& answer) {
  auto [status, body] = TRY(read_reply(answer));
  ReloadResult result;
  if (status == "200") {
    result.ok = true;
    std::from_chars(body.data(), body.data() + body.size(), result.generation);
    return result;
  }
  if (status != "422") {
    return refused({status, body});
  }
  while (!body.empty()) {
    const std::string_view mistake = body.substr(0, body.find('\0'));
    result.mistakes.emplace_back(mistake);
    body.remove_prefix(std::min(body.size(), mistake.size() + 1));
  }
  return result;
}

}  // namespace

Result<ReloadResult> request_reload(const std::string& address, const std::string& token) {
  if (address == "off") {
    return fail("admin.listen is off: reload by SIGHUP");
  }
  const auto place = TRY(net::SocketAddress::parse(address));
  const std::string request =
      "POST /reload HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\nConnection: close\r\n"
      "Content-Length: 0\r\n";
  return read_reload(TRY(round_trip(place, request + authorization(token) + "\r\n", kReloadPatience)));
}

Result<std::string> request_text(const std::string& address, const std::string& token, const std::string& target,
                                 time_t patience) {
  if (address == "off") {
    return fail("admin.listen is off: there is nobody to ask");
  }
  const auto place = TRY(net::SocketAddress::parse(address));
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  const std::string answer = TRY(round_trip(place, request + authorization(token) + "\r\n", patience));
  const Reply reply = TRY(read_reply(answer));
  if (reply.status != "200") {
    return refused(reply);
  }
  return std::string(reply.body);
}

Result<> request_health(const std::string& address) {
  if (address == "off") {
    return fail("admin.listen is off: there is nobody to ask");
  }
  const auto place = TRY(net::SocketAddress::parse(address));
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const std::string answer = TRY(round_trip(place, request, kHealthPatience));
  const Reply reply = TRY(read_reply(answer));
  return reply.status == "200" ? Result<>() : fail("the server is not well (" + std::string(reply.status) + ")");
}

}  // namespace perigee::server
