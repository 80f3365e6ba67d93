#include "client/network.h"

#include <mutex>
#include <utility>

#include "base/log.h"
#include "client/http_peer.h"

namespace perigee::client {
namespace {

// Contexts are made of files and kept; an app that makes up new names for them all the time must not fill the memory.
constexpr std::size_t kMostContexts = 100;

// RFC 6890 and its successors: whatever is not the Internet at large.
constexpr const char* kPrivate[] = {
    "0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "::/127",         "64:ff9b::/96",   "64:ff9b:1::/48",
    "100::/64",       "2001::/23",    "2001:db8::/32",  "2002::/16",      "fc00::/7",       "fe80::/10",
    "fec0::/10",      "ff00::/8",
};

}  // namespace

Network::Network(net::EventLoop& loop, const NetworkSettings& settings)
    : loop_(loop),
      settings_(settings),
      proxies_(ProxyRules::from_environment()),
      http_peers_(std::make_unique<HttpPeers>()) {
  static std::once_flag once;
  std::call_once(once, [this] {
    for (const std::string& mistake : proxies_.mistakes()) {
      log_event(LogLevel::kWarn, mistake);
    }
  });
}

Network::~Network() = default;

void Network::apply(const NetworkSettings& settings) {
  if (!(settings.names == settings_.names)) {
    std::erase_if(retired_, [](const auto& each) { return each->pending() == 0; });
    if (resolver_ != nullptr) {
      retired_.push_back(std::exchange(resolver_, nullptr));
    }
  }
  if (settings.ca_file != settings_.ca_file) {
    http_pool_.clear();  // what they were verified by counts no longer
  }
  settings_ = settings;
  http_peers_->clear();
  contexts_.clear();  // files may have changed with the configuration
}

const std::shared_ptr<net::Resolver>& Network::resolver() {
  if (resolver_ == nullptr) {
    resolver_ = std::make_shared<net::Resolver>(loop_, settings_.names);
  }
  return resolver_;
}

Result<net::TlsContext*> Network::tls(net::TlsIdentity identity) {
  if (identity.ca_file.empty()) {
    identity.ca_file = settings_.ca_file;
  }
  if (const auto found = contexts_.find(identity); found != contexts_.end()) {
    return found->second.get();
  }
  auto made = TRY(net::TlsContext::create(identity));
  if (contexts_.size() >= kMostContexts) {
    contexts_.clear();
  }
  return contexts_.emplace(std::move(identity), std::move(made)).first->second.get();
}

bool Network::is_private(const net::PeerAddress& address) {
  static const net::AddressSet set = [] {
    net::AddressSet made;
    for (const char* network : kPrivate) {
      (void)made.add(network);
    }
    return made;
  }();
  return set.contains(address);
}

}  // namespace perigee::client
