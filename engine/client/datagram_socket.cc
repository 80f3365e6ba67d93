#include "client/datagram_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace perigee::client {

DatagramSocket::DatagramSocket(Network& network) : network_(network), wait_(network.loop().timers()) {}

DatagramSocket::~DatagramSocket() {
  close();
}

void DatagramSocket::close() {
  wait_.stop();
  if (ticket_ != 0) {
    resolver_->cancel(std::exchange(ticket_, 0));
  }
  stream_.reset();
}

void DatagramSocket::begin(Milliseconds patience) {
  error_.clear();
  received_.clear();
  wait_.begin(patience);
}

DatagramSocket::Step DatagramSocket::fail(std::string error) {
  error_ = std::move(error);
  return Step::kFailed;
}

DatagramSocket::Step DatagramSocket::wait_or_time_out() {
  return wait_.over() ? fail("timeout") : Step::kWaits;
}

void DatagramSocket::sleep(std::function<void()> waker) {
  wait_.sleep(std::move(waker));
  if (connected()) {
    stream_->await_any([this] { wait_.wake(); });
  }
}

void DatagramSocket::begin_connect(Destination destination, Milliseconds patience) {
  close();
  begin(patience);
  destination_ = std::move(destination);
  if (destination_.host.starts_with("unix:")) {
    const auto address = net::SocketAddress::parse(destination_.host);
    if (!address) {
      error_ = "refused: " + address.error().message;
    } else {
      (void)open(*address);
    }
    return;
  }
  resolver_ = network_.resolver();
  ticket_ = resolver_->resolve(destination_.host, [this](const net::NameAnswer& answer) { on_names(answer); });
}

void DatagramSocket::on_names(const net::NameAnswer& answer) {
  ticket_ = 0;
  auto usable = usable_addresses(answer, destination_);
  if (!usable) {
    error_ = usable.error().message;
  } else {
    (void)std::any_of(usable->begin(), usable->end(), [this](const auto& address) { return open(address); });
  }
  wait_.wake();
}

// Connecting a datagram socket only notes the peer: nothing is waited for.
bool DatagramSocket::open(const net::SocketAddress& address) {
  const int fd = ::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    error_ = net::socket_error(errno);
    return false;
  }
  if (::connect(fd, address.get(), address.size()) != 0) {
    error_ = net::socket_error(errno);
    ::close(fd);
    return false;
  }
  error_.clear();
  stream_ = std::make_unique<net::Stream>(network_.loop(), fd);
  return true;
}

DatagramSocket::Step DatagramSocket::connect() {
  wait_.stop();
  if (connected()) {
    return Step::kDone;
  }
  const Step step = error_.empty() ? wait_or_time_out() : Step::kFailed;
  if (step == Step::kFailed) {
    close();
  }
  return step;
}

DatagramSocket::Step DatagramSocket::send(std::string_view bytes) {
  const ssize_t sent = ::send(stream_->descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    return Step::kDone;
  }
  if (errno == EMSGSIZE) {
    return fail("too_large");
  }
  return fail(errno == EAGAIN || errno == ENOBUFS ? "full" : net::socket_error(errno));
}

DatagramSocket::Step DatagramSocket::receive(std::size_t most) {
  wait_.stop();
  received_.resize(std::min(most, kLongest));
  const ssize_t count = ::recv(stream_->descriptor(), received_.data(), received_.size(), 0);
  const int error = errno;
  received_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (count >= 0) {
    return Step::kDone;
  }
  return error == EAGAIN || error == EINTR ? wait_or_time_out() : fail(net::socket_error(error));
}

}  // namespace perigee::client
