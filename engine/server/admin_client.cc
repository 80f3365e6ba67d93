#include "server/admin_client.h"

#include <rapidjson/document.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/socket_address.h"

namespace perigee::server {
namespace {

constexpr time_t kPatience = 120;  // seconds

struct Socket {
  int fd = -1;
  ~Socket() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

// Sends a request and reads to the end of the connection.
Result<std::string> round_trip(const net::SocketAddress& address, const std::string& request) {
  const Socket socket{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{kPatience, 0};
  setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
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

Result<ReloadResult> read_answer(const std::string& answer) {
  const std::size_t body = answer.find("\r\n\r\n");
  rapidjson::Document document;
  if (body == std::string::npos || document.Parse(answer.c_str() + body + 4).HasParseError() || !document.IsObject()) {
    return fail("the admin port gave no answer that can be read");
  }
  ReloadResult result;
  result.ok = answer.starts_with("HTTP/1.1 200");
  if (const auto generation = document.FindMember("generation");
      generation != document.MemberEnd() && generation->value.IsUint64()) {
    result.generation = generation->value.GetUint64();
  }
  const auto mistakes = document.FindMember("mistakes");
  if (mistakes != document.MemberEnd() && mistakes->value.IsArray()) {
    for (const auto& mistake : mistakes->value.GetArray()) {
      result.mistakes.emplace_back(mistake.IsString() ? mistake.GetString() : "");
    }
  }
  if (!result.ok && result.mistakes.empty()) {
    const auto detail = document.FindMember("detail");
    const bool said = detail != document.MemberEnd() && detail->value.IsString();
    return fail(std::string("the admin port refused: ") + (said ? detail->value.GetString() : answer.substr(9, 3)));
  }
  return result;
}

}  // namespace

Result<ReloadResult> request_reload(const std::string& address, const std::string& token) {
  if (address == "off") {
    return fail("admin.listen is off: reload by SIGHUP");
  }
  const auto place = TRY(net::SocketAddress::parse(address));
  std::string request = "POST /reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n";
  if (!token.empty()) {
    request += "Authorization: Bearer " + token + "\r\n";
  }
  return read_answer(TRY(round_trip(place, request + "\r\n")));
}

}  // namespace perigee::server
