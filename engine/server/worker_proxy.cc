// The PROXY header before the first request of a connection, where the configuration wants one.

#include "net/proxy_header.h"

#include "server/worker.h"

namespace perigee::server {

bool Worker::may_be_proxy(const net::PeerAddress& peer) const {
  return trusted_.empty() || trusted_.contains(peer);
}

// The connection counts, but by no address before its client's is known.
void Worker::await_proxy_header(net::Connection& client, const net::PeerAddress& proxy) {
  if (!may_be_proxy(proxy)) {
    refuse_proxy(client, proxy, "it is no trusted proxy (server.trusted_proxies)");
    return;
  }
  Visit& visit = begin_visit(client);
  visit.stage = Visit::Stage::kProxyHeader;
  visit.peer = proxy;
}

// True when the header is whole and the connection free for its first request.
bool Worker::read_proxy_header(net::Connection& client, Visit& visit) {
  const net::ProxyHeader header = net::parse_proxy_header(client.input().readable());
  const net::PeerAddress proxy = visit.peer;
  switch (header.verdict) {
    case net::ProxyHeader::Verdict::kIncomplete:
      return false;
    case net::ProxyHeader::Verdict::kMalformed:
      refuse_proxy(client, proxy, "its PROXY header is refused: " + std::string(header.reason));
      return false;
    case net::ProxyHeader::Verdict::kComplete:
      break;
  }
  client.input().consume(header.size);
  client.context = nullptr;
  release(visit);
  const net::PeerAddress& peer = header.told ? header.client : proxy;
  const auto verdict = setup_.limits->attribute(peer, options_->connections_per_address);
  if (verdict != ConnectionLimits::Verdict::kAdmitted) {
    turn_away(client, verdict);
    return false;
  }
  client.set_peer(peer, header.secure);
  return true;
}

// Nothing is answered: whoever it is does not speak as was agreed.
void Worker::refuse_proxy(net::Connection& client, const net::PeerAddress& proxy, std::string_view why) {
  meter_.refuse(profiler::ConnectionRefusal::kProxyHeader);
  proxy_notes_.write(LogLevel::kInfo, "closed a connection from " + proxy.text() + ": " + std::string(why),
                     monotonic_coarse_ms());
  client.close();
}

}  // namespace perigee::server
