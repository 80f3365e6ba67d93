#include "server/test_upstreams.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace perigee::server {

TestUpstreams::~TestUpstreams() {
  while (!sockets_.empty()) {
    close(sockets_.begin()->first);
  }
}

Result<int> TestUpstreams::open(const std::string& host, int port) {
  constexpr int kBacklog = 1024;
  const auto loopback = TRY(net::SocketAddress::parse("127.0.0.1:0"));
  auto socket = TRY(net::ListenSocket::open(loopback, kBacklog, /*reuse_port=*/false));
  detours_.add(host, port, socket.address().port());
  forget_all([](const Connection& each) { return !each.asked && each.output.empty(); });
  sockets_.emplace(++made_, std::move(socket));
  return made_;
}

void TestUpstreams::close(int upstream) {
  const auto found = sockets_.find(upstream);
  if (found == sockets_.end()) {
    return;
  }
  detours_.remove(found->second.address().port());
  sockets_.erase(found);
  forget_all([upstream](const Connection& each) { return each.upstream == upstream; });
}

template <typename Condition>
void TestUpstreams::forget_all(Condition condition) {
  for (auto each = connections_.begin(); each != connections_.end();) {
    const auto& [number, connection] = *each++;
    if (condition(connection)) {
      forget(number);
    }
  }
}

void TestUpstreams::forget(int number) {
  const auto found = connections_.find(number);
  ::close(found->second.fd);
  connections_.erase(found);
}

void TestUpstreams::accept_all() {
  for (const auto& [upstream, socket] : sockets_) {
    for (;;) {
      const int fd = ::accept4(socket.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        break;
      }
      connections_[++made_] = {upstream, fd, "", false, false};
    }
  }
}

void TestUpstreams::flush(Connection& connection) {
  while (!connection.output.empty()) {
    const ssize_t sent = ::send(connection.fd, connection.output.data(), connection.output.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return;  // no room yet; or it has ended, which receive() sees
    }
    connection.output.erase(0, static_cast<std::size_t>(sent));
  }
  if (connection.last) {
    ::shutdown(connection.fd, SHUT_WR);
  }
}

std::optional<TestUpstreams::Call> TestUpstreams::receive(int number, Connection& connection) {
  std::array<char, 64 * 1024> bytes;
  const ssize_t count = ::recv(connection.fd, bytes.data(), bytes.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return std::nullopt;
  }
  Call call{connection.upstream, number, "", count <= 0};
  if (call.ended) {
    forget(number);
  } else {
    connection.asked = true;
    call.bytes.assign(bytes.data(), static_cast<std::size_t>(count));
  }
  return call;
}

std::optional<TestUpstreams::Call> TestUpstreams::next() {
  accept_all();
  for (auto& [number, connection] : connections_) {
    flush(connection);
    if (auto call = receive(number, connection)) {
      return call;
    }
  }
  return std::nullopt;
}

void TestUpstreams::answer(int number, std::string_view bytes, bool last) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) {
    return;  // the app has hung up
  }
  found->second.output.append(bytes);
  found->second.asked = false;
  found->second.last = last;
  flush(found->second);
}

}  // namespace perigee::server
