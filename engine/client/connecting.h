#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/network.h"
#include "net/dialer.h"

namespace perigee::client {

/// Where a connection is to lead.
struct Destination {
  std::string host;  ///< a name, an IP address, or "unix:" and a path
  int port = 0;
  bool block_private = false;  ///< only to addresses of the Internet

  /// "example.com:80", "[::1]:80", "unix:/run/x.sock".
  [[nodiscard]] std::string text() const;
};

/// A connect on its way: the name is looked up, then its addresses are tried. Destroying it gives it up. Loop thread
/// only.
class Connecting {
 public:
  /// A connected, non-blocking socket that is the receiver's from then on; or -1 and why, by a first word of the error
  /// convention. May destroy the Connecting. Called from the loop or by start().
  using Done = std::function<void(int fd, const std::string& error)>;

  Connecting(Network& network, Destination destination, Done done);
  ~Connecting();
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;

  void start();

  /// What it is at, for who gives up waiting: "looking up example.com", "connecting to example.com:80".
  [[nodiscard]] std::string stage() const;

 private:
  void on_names(const net::NameAnswer& answer);
  void dial(std::vector<net::SocketAddress> addresses);

  Network& network_;
  Destination destination_;
  Done done_;
  std::shared_ptr<net::Resolver> resolver_;
  std::uint64_t ticket_ = 0;
  std::unique_ptr<net::Dialer> dialer_;
};

/// The addresses of an answer at a port; without the private ones where they are not wanted.
[[nodiscard]] Result<std::vector<net::SocketAddress>> usable_addresses(const net::NameAnswer& answer,
                                                                       const Destination& destination);

}  // namespace perigee::client
