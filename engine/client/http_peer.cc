#include "client/http_peer.h"

#include <algorithm>
#include <utility>

namespace perigee::client {

HttpPeer::HttpPeer(Network& network, HttpConnector::Plan how)
    : plan(std::move(how)),
      key(plan.key()),
      name(Destination{plan.url.host, plan.url.port}.text()),
      host(plan.url.authority()),
      to_host(" HTTP/1.1\r\nHost: " + host + "\r\n"),
      stats(network.hosts().of(name)),
      shelf(network.http_pool().shelf(key)) {}

HttpConnector::Plan usual_plan(const Network& network, http::ClientUrl url) {
  HttpConnector::Plan plan;
  plan.url = std::move(url);
  if (const Proxy* usual = network.proxies().find(plan.url); usual != nullptr) {
    plan.proxy = *usual;
  }
  plan.block_private = network.settings().block_private;
  if (plan.url.secure) {
    plan.security.target.server_name = plan.url.host;
  }
  return plan;
}

// What stands before the path.
static std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return url;
  }
  const std::size_t host = scheme + 3;
  return url.substr(0, std::min({url.find('/', host), url.find('?', host), url.find('#', host)}));
}

Result<HttpPeers::Found> HttpPeers::find(Network& network, std::string_view url) {
  const std::string_view origin = origin_of(url);
  std::string target = TRY(http::client_target(url.substr(origin.size())));
  if (const auto found = known_.find(origin); found != known_.end()) {
    return Found{found->second, std::move(target), false};
  }
  auto peer = std::make_shared<HttpPeer>(network, usual_plan(network, TRY(http::parse_client_url(origin))));
  if (known_.size() >= kMost) {
    known_.clear();
  }
  known_.emplace(origin, peer);
  return Found{std::move(peer), std::move(target), true};
}

}  // namespace perigee::client
