#include "client/connecting.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

namespace perigee::client {
namespace {

constexpr std::string_view kUnix = "unix:";

net::SocketAddress at_port(const net::PeerAddress& address, int port) {
  sockaddr_storage storage{};
  if (address.family == AF_INET) {
    auto& plain = reinterpret_cast<sockaddr_in&>(storage);
    plain.sin_family = AF_INET;
    plain.sin_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&plain.sin_addr, address.bytes.data(), 4);
    return {storage, sizeof plain};
  }
  auto& wide = reinterpret_cast<sockaddr_in6&>(storage);
  wide.sin6_family = AF_INET6;
  wide.sin6_port = htons(static_cast<std::uint16_t>(port));
  std::memcpy(&wide.sin6_addr, address.bytes.data(), 16);
  return {storage, sizeof wide};
}

}  // namespace

std::string Destination::text() const {
  if (host.starts_with(kUnix)) {
    return host;
  }
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<std::vector<net::SocketAddress>> usable_addresses(const net::NameAnswer& answer,
                                                         const Destination& destination) {
  if (answer.addresses.empty()) {
    return fail(answer.error);
  }
  std::vector<net::SocketAddress> usable;
  for (const net::PeerAddress& address : answer.addresses) {
    if (!destination.block_private || !Network::is_private(address)) {
      usable.push_back(at_port(address, destination.port));
    }
  }
  if (usable.empty()) {
    return fail("refused: " + destination.host + " is a private address, and those are blocked");
  }
  return usable;
}

Connecting::Connecting(Network& network, Destination destination, Done done)
    : network_(network), destination_(std::move(destination)), done_(std::move(done)) {}

Connecting::~Connecting() {
  if (ticket_ != 0) {
    resolver_->cancel(ticket_);
  }
}

void Connecting::start() {
  if (destination_.host.starts_with(kUnix)) {
    const auto address = net::SocketAddress::parse(destination_.host);
    if (!address || destination_.block_private) {
      const Done done = std::move(done_);
      done(-1, "refused: " + (address ? "Unix sockets are blocked" : address.error().message));
      return;
    }
    dial({*address});
    return;
  }
  resolver_ = network_.resolver();
  const std::shared_ptr<net::Resolver> kept = resolver_;
  bool known = false;
  bool* const told = &known;
  // Where the answer is known it comes before resolve() returns, and this may be gone then.
  const std::uint64_t ticket = kept->resolve(destination_.host, [this, told, first = true](const auto& answer) mutable {
    if (std::exchange(first, false) && ticket_ == 0) {
      *told = true;
    }
    ticket_ = 0;
    on_names(answer);
  });
  if (!known) {
    ticket_ = ticket;
  }
}

void Connecting::on_names(const net::NameAnswer& answer) {
  auto usable = usable_addresses(answer, destination_);
  if (!usable) {
    const Done done = std::move(done_);
    done(-1, usable.error().message);
    return;
  }
  dial(*std::move(usable));
}

void Connecting::dial(std::vector<net::SocketAddress> addresses) {
  dialer_ = std::make_unique<net::Dialer>(network_.loop(), std::move(addresses), [this](int fd, const auto& error) {
    const Done done = std::move(done_);
    done(fd, error);
  });
  dialer_->start();
}

std::string Connecting::stage() const {
  return dialer_ == nullptr ? "looking up " + destination_.host : "connecting to " + destination_.text();
}

}  // namespace perigee::client
