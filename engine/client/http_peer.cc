#include "client/http_peer.h"

#include <algorithm>
#include <utility>

namespace perigee::client {
namespace {

// What stands before the path.
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return url;
  }
  const std::size_t host = scheme + 3;
  return url.substr(0, std::min({url.find('/', host), url.find('?', host), url.find('#', host)}));
}

}  // namespace

HttpPeer::HttpPeer(Network& network, HttpConnector::Plan how)
    : plan(std::move(how)),
      name(Destination{plan.url.host, plan.url.port}.text()),
      host(plan.url.authority()),
      to_host(" HTTP/1.1\r\nHost: " + host + "\r\n"),
      stats(network.hosts().of(name)),
      shelf(network.http_pool().shelf(plan.key())) {}

void HttpPeer::have_in_common(std::string lines) {
  fields = std::move(lines);
  closing = plan.proxy && !plan.url.secure ? "" : to_host + fields + "\r\n";
}

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

void HttpPeers::remember(std::string_view origin, const std::shared_ptr<HttpPeer>& peer) {
  if (std::any_of(recent_.begin(), recent_.end(), [&peer](const Known& each) { return each.peer == peer; })) {
    return;
  }
  recent_[oldest_] = {std::string(origin), peer};
  oldest_ = (oldest_ + 1) % kRecent;
}

const HttpPeers::Known* HttpPeers::recall(std::string_view url) const {
  for (const Known& each : recent_) {
    const std::size_t size = each.origin.size();
    if (size != 0 && url.size() > size && url[size] == '/' && url.starts_with(each.origin)) {
      return &each;
    }
  }
  return nullptr;
}

void HttpPeers::clear() {
  known_.clear();
  recent_ = {};
}

Result<HttpPeers::Found> HttpPeers::find(Network& network, std::string_view url) {
  const std::string_view origin = origin_of(url);
  std::string target = TRY(http::client_target(url.substr(origin.size())));
  if (const auto found = known_.find(origin); found != known_.end()) {
    remember(origin, found->second);
    return Found{found->second, std::move(target), false};
  }
  auto peer = std::make_shared<HttpPeer>(network, usual_plan(network, TRY(http::parse_client_url(origin))));
  if (known_.size() >= kMost) {
    clear();
  }
  known_.emplace(origin, peer);
  remember(origin, peer);
  return Found{std::move(peer), std::move(target), true};
}

}  // namespace perigee::client
