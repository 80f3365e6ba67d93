#include "server/test_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "net/socket_address.h"

namespace perigee::server {

TestClient::~TestClient() {
  disconnect();
}

void TestClient::disconnect() {
  peer_.reset();
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

bool TestClient::connect() {
  const bool free = !asked_ || (reader_.state() == http::AnswerReader::State::kDone && !reader_.closes());
  if (connected() && !ended_ && free) {
    return true;
  }
  disconnect();
  reader_ = {};
  ended_ = asked_ = false;
  if (app_.served()) {
    return connect_socket();
  }
  net::Connection* connection = app_.worker().connect();
  if (connection == nullptr) {
    return false;
  }
  peer_ = std::make_unique<net::MemoryPeer>(*connection);
  return true;
}

bool TestClient::connect_socket() {
  const auto address = net::SocketAddress::parse(app_.address());
  fd_ = address ? socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
  if (fd_ < 0 || ::connect(fd_, address->get(), address->size()) != 0) {
    disconnect();
    return false;
  }
  return true;
}

bool TestClient::send(std::string_view request, bool is_head) {
  if (app_.served() || connected()) {
    receive();  // to see whether the connection has ended
  }
  if (!connect()) {
    return false;
  }
  reader_.begin(is_head);
  asked_ = true;
  return send_bytes(request);
}

bool TestClient::send_bytes(std::string_view bytes) {
  if (!app_.served()) {
    app_.worker().begin_turn();
    const bool sent = peer_->send(bytes);
    app_.finish_turn();
    return sent;
  }
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) {
      return errno == EPIPE || errno == ECONNRESET;  // the server may have answered before it broke off
    }
    bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return true;
}

void TestClient::receive() {
  receive_bytes();
  reader_.advance(ended_);
}

void TestClient::receive_bytes() {
  if (peer_ != nullptr) {
    peer_->receive(reader_.input());
    ended_ = peer_->closed();
    return;
  }
  std::array<char, 64 * 1024> bytes{};
  while (fd_ >= 0 && !ended_) {
    const ssize_t count = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) {
      reader_.input().append(bytes.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      ended_ = true;
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

void TestClient::wait(Milliseconds longest) {
  if (!app_.served()) {
    app_.turn(longest);
    return;
  }
  pollfd watched{fd_, POLLIN, 0};
  (void)poll(&watched, 1, static_cast<int>(longest));
}

}  // namespace perigee::server
