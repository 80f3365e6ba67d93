#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/detours.h"
#include "client/host_stats.h"
#include "client/proxy.h"
#include "client/stream_pool.h"
#include "net/address_set.h"
#include "net/event_loop.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace perigee::client {

class HttpPeers;

/// What [client] says. Times in milliseconds, sizes in bytes.
struct NetworkSettings {
  net::ResolverSettings names;
  std::size_t pool_size = 32;            ///< idle connections that are kept of each host
  Milliseconds idle = 60'000;            ///< and for how long
  std::size_t most_received = 64 << 20;  ///< what one receive of a socket collects
  std::size_t most_answered = 16 << 20;  ///< bytes of an answer, where a request does not say
  bool block_private = false;            ///< perigee.http reaches only public addresses
  std::string ca_file;                   ///< trusted certificates; empty: the system's

  bool operator==(const NetworkSettings&) const = default;
};

/// What the outbound connections of one worker share: the resolver, TLS contexts and idle connections. Loop thread
/// only; outlives whatever connects by it.
class Network {
 public:
  explicit Network(net::EventLoop& loop, const NetworkSettings& settings = {});
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Takes new settings for what begins from now on. Names that are being looked up are looked up to their end.
  void apply(const NetworkSettings& settings);

  [[nodiscard]] net::EventLoop& loop() { return loop_; }
  /// Who asks keeps it until its answer is there: apply() puts another in its place where the settings differ.
  [[nodiscard]] const std::shared_ptr<net::Resolver>& resolver();
  [[nodiscard]] const NetworkSettings& settings() const { return settings_; }

  /// The context of an identity; empty fields of it are as configured. The error begins with "tls:".
  [[nodiscard]] Result<net::TlsContext*> tls(net::TlsIdentity identity);

  /// What was done with each host by perigee.http.
  [[nodiscard]] HostTable& hosts() { return hosts_; }
  /// The environment's proxies, as they were when this was made.
  [[nodiscard]] const ProxyRules& proxies() const { return proxies_; }

  /// Has perigee.http heed detours, which outlive this; null: none.
  void set_detours(const Detours* detours) { detours_ = detours; }
  /// The port of the loopback that stands for a host; 0 where none does.
  [[nodiscard]] int detour(const std::string& host, int port) const {
    return detours_ == nullptr ? 0 : detours_->find(host, port);
  }

  /// Those that perigee.http asks by a url alone.
  [[nodiscard]] HttpPeers& http_peers() { return *http_peers_; }
  /// The idle connections of perigee.http.
  [[nodiscard]] StreamPool& http_pool() { return http_pool_; }

  /// Whether an address belongs to this machine or a private network (RFC 6890), and not to the Internet.
  [[nodiscard]] static bool is_private(const net::PeerAddress& address);

 private:
  net::EventLoop& loop_;
  NetworkSettings settings_;
  std::shared_ptr<net::Resolver> resolver_;              // made by the first who asks
  std::vector<std::shared_ptr<net::Resolver>> retired_;  // they may be busy: who was told last must not destroy one
  std::map<net::TlsIdentity, std::unique_ptr<net::TlsContext>> contexts_;
  ProxyRules proxies_;
  const Detours* detours_ = nullptr;
  HostTable hosts_;
  StreamPool http_pool_;
  std::unique_ptr<HttpPeers> http_peers_;
};

}  // namespace perigee::client
