#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::net {

/// A place to listen or connect: IPv4, IPv6 or a Unix socket. A value; any thread.
class SocketAddress {
 public:
  SocketAddress() = default;
  SocketAddress(const sockaddr_storage& storage, socklen_t size) : storage_(storage), size_(size) {}

  /// Reads "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" and "*:8080" (every IPv4 address) and
  /// "unix:/run/perigee.sock". The port is 0 to 65535. The error names the text.
  [[nodiscard]] static Result<SocketAddress> parse(std::string_view text);

  /// The address a bound socket got. REQUIRES: `fd` is a socket.
  [[nodiscard]] static SocketAddress of_socket(int fd);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] bool is_unix() const { return storage_.ss_family == AF_UNIX; }
  [[nodiscard]] bool is_loopback() const;

  /// "127.0.0.1", "::1", or "unix" for a Unix socket.
  [[nodiscard]] std::string host() const;
  [[nodiscard]] int port() const;

  /// As parse() reads it: "[::1]:8080", "unix:/run/perigee.sock".
  [[nodiscard]] std::string text() const;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace perigee::net
