#include "server/listeners.h"

#include <string_view>
#include <utility>

namespace perigee::server {
namespace {

constexpr int kAdminBacklog = 128;

}  // namespace

std::string url_of(const net::SocketAddress& address) {
  return address.is_unix() ? address.text() : "http://" + address.text();
}

Result<> Listeners::open(const Options& options, std::size_t workers) {
  for (const std::string& text : options.listen) {
    TRY(open_address(text, options, workers));
  }
  if (options.admin_listen != "off") {
    const auto address = TRY(net::SocketAddress::parse(options.admin_listen));
    admin_ =
        std::make_unique<net::ListenSocket>(TRY(net::ListenSocket::open(address, kAdminBacklog, /*reuse_port=*/false)));
  }
  return {};
}

// One socket a worker where the kernel can spread connections over them, else one for all.
Result<> Listeners::open_address(const std::string& text, const Options& options, std::size_t workers) {
  auto address = TRY(net::SocketAddress::parse(text));
  const bool balanced = address.is_unix() || options.accept == "balanced";
  const int backlog = static_cast<int>(options.backlog);
  if (!balanced) {
    // A first look without SO_REUSEPORT, which would share the port with another server of the same user in silence.
    auto probe = TRY(net::ListenSocket::open(address, backlog, /*reuse_port=*/false));
    address = probe.address();
  }
  for (std::size_t i = 0; i < (balanced ? 1 : workers); ++i) {
    auto socket = TRY(net::ListenSocket::open(address, backlog, !balanced));
    address = socket.address();
    bound_.push_back({i, balanced, std::move(socket)});
  }
  urls_.push_back(url_of(address));
  return {};
}

std::vector<std::string> Listeners::files() const {
  std::vector<std::string> files;
  for (const Bound& bound : bound_) {
    if (bound.socket.address().is_unix()) {
      files.push_back(bound.socket.address().text().substr(std::string_view("unix:").size()));
    }
  }
  return files;
}

std::vector<Listeners::Bound> Listeners::take() {
  return std::exchange(bound_, {});
}

std::unique_ptr<net::ListenSocket> Listeners::take_admin() {
  return std::move(admin_);
}

}  // namespace perigee::server
