#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/connecting.h"
#include "client/network.h"
#include "client/proxy.h"
#include "client/socket.h"
#include "http/client_url.h"
#include "http/response_reader.h"

namespace perigee::client {

/// Makes a connection over which requests can be sent: connects to the host or the proxy, has the proxy open a tunnel
/// for https (RFC 9110 section 9.3.6), and shakes hands; or takes a detour, without either. Destroying it gives it up.
/// Loop thread only.
class HttpConnector {
 public:
  struct Plan {
    http::ClientUrl url;
    std::optional<Proxy> proxy;
    bool block_private = false;
    Socket::Security security;  ///< of https

    /// Everything in which two connections must be equal to stand for each other.
    [[nodiscard]] std::string key() const;
  };
  /// The connection; or null and why. May destroy the connector.
  using Done = std::function<void(std::unique_ptr<net::Stream> stream, const std::string& error)>;

  HttpConnector(Network& network, const Plan& plan, Done done);
  HttpConnector(const HttpConnector&) = delete;
  HttpConnector& operator=(const HttpConnector&) = delete;

  void start();
  /// "connecting to example.com:443", for who gives up waiting.
  [[nodiscard]] std::string stage() const;

 private:
  enum class Phase : std::uint8_t { kConnecting, kAsking, kTunnel, kHandshake };

  void on_connected(int fd, const std::string& error);
  void begin_tunnel();
  void begin_tls();
  void advance();
  [[nodiscard]] bool ask();
  [[nodiscard]] bool read_tunnel();
  [[nodiscard]] bool shake_hands();
  void wait();
  void fail(const std::string& error);

  Network& network_;
  const Plan& plan_;
  const int detour_;  // the port of the loopback that stands for the host; 0: none does
  Done done_;
  Connecting connecting_;
  std::unique_ptr<net::Stream> stream_;
  Phase phase_ = Phase::kConnecting;
  std::string output_;
  http::ResponseReader reader_;
};

}  // namespace perigee::client
