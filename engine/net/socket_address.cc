#include "net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace perigee::net {
namespace {

Result<SocketAddress> parse_unix(std::string_view text, std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail("'" + std::string(text) + "' is no Unix socket path of 1 to 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return SocketAddress(storage, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  if (text.starts_with("unix:")) {
    return parse_unix(text, text.substr(5));
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail("'" + std::string(text) + "' is no address: write HOST:PORT, [IPV6]:PORT or unix:PATH");
  }
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return fail("'" + std::string(text) + "' has no port from 0 to 65535");
  }
  std::string host(text.substr(0, colon));
  if (host.empty() || host == "*") {
    host = "0.0.0.0";
  } else if (host == "localhost") {
    host = "127.0.0.1";
  }
  sockaddr_storage storage{};
  if (host.front() == '[' && host.back() == ']') {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) == 1) {
      return SocketAddress(storage, sizeof(sockaddr_in6));
    }
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
      return SocketAddress(storage, sizeof(sockaddr_in));
    }
  }
  return fail("'" + std::string(text) + "' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH");
}

SocketAddress SocketAddress::of_socket(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return {storage, size};
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr) >> 24) == 127;
  }
  if (family() == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr);
  }
  return is_unix();
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "unix";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr, text, sizeof text);
  }
  return text;
}

int SocketAddress::port() const {
  switch (family()) {
    case AF_INET:
      return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
    case AF_INET6:
      return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
    default:
      return 0;
  }
}

std::string SocketAddress::text() const {
  if (is_unix()) {
    return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  }
  const std::string port_text = std::to_string(port());
  return family() == AF_INET6 ? "[" + host() + "]:" + port_text : host() + ":" + port_text;
}

}  // namespace perigee::net
