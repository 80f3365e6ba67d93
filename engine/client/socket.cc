#include "client/socket.h"

#include <algorithm>
#include <utility>

namespace perigee::client {
namespace {

constexpr std::size_t kReadRoom = 16 * 1024;

void add_part(std::string& key, std::string_view part) {
  key += '\0';
  key += part;
}

}  // namespace

std::string Socket::Security::key() const {
  std::string key = "tls";
  add_part(key, target.server_name);
  add_part(key, target.verify ? "verified" : "unverified");
  add_part(key, identity.ca_file);
  add_part(key, identity.cert_file);
  add_part(key, identity.key_file);
  for (const std::string& protocol : target.alpn) {
    add_part(key, protocol);
  }
  return key;
}

Socket::Socket(Network& network, StreamPool& pool)
    : network_(network), pool_(pool), wait_(network.loop().timers()), input_(network.loop().buffers()) {}

void Socket::begin(Milliseconds patience) {
  error_.clear();
  wait_.begin(patience);
  output_.clear();
  sent_ = 0;
  searched_ = 0;
}

void Socket::close() {
  wait_.stop();
  connecting_.reset();
  pooled_ = {};
  input_.release();
  received_ = {};
  taken_ = 0;
  ended_ = false;
}

Socket::Step Socket::fail(std::string error) {
  error_ = std::move(error);
  return Step::kFailed;
}

// A step that can't go on: it waits, unless its time is over.
Socket::Step Socket::wait_or_time_out() {
  return wait_.over() ? fail("timeout") : Step::kWaits;
}

void Socket::sleep(std::function<void()> waker) {
  wait_.sleep(std::move(waker));
  if (waits_for_stream_ && connected()) {
    pooled_.stream->await([this] { wait_.wake(); });
  }
}

void Socket::begin_connect(Destination destination, std::string_view pool_name, const Security* security,
                           Milliseconds patience) {
  close();
  begin(patience);
  key_ = pool_name.empty() ? destination.text() : std::string(pool_name);
  if (security != nullptr) {
    add_part(key_, security->key());
  }
  pooled_ = pool_.take(key_);
  if (connected()) {
    return;
  }
  connecting_ = std::make_unique<Connecting>(network_, std::move(destination), [this](int fd, const auto& error) {
    error_ = error;
    if (fd >= 0) {
      pooled_.stream = std::make_unique<net::Stream>(network_.loop(), fd);
    }
    wait_.wake();
  });
  connecting_->start();
}

Socket::Step Socket::connect() {
  wait_.stop();
  if (connected()) {
    connecting_.reset();
    return Step::kDone;
  }
  waits_for_stream_ = false;
  if (!error_.empty()) {
    connecting_.reset();
    return Step::kFailed;
  }
  const Step step = wait_or_time_out();
  if (step == Step::kFailed) {
    connecting_.reset();
  }
  return step;
}

void Socket::begin_handshake(const Security& security, Milliseconds patience) {
  begin(patience);
  auto context = network_.tls(security.identity);
  if (!context || !input_.empty()) {
    error_ = context ? "tls: bytes had come before the handshake" : context.error().message;
  } else if (!pooled_.stream->begin_tls(**context, security.target)) {
    error_ = pooled_.stream->error();
  } else if (const std::string part = security.key(); !key_.ends_with(part)) {
    add_part(key_, part);
  }
}

Socket::Step Socket::handshake() {
  wait_.stop();
  Step step = Step::kFailed;
  if (error_.empty()) {
    switch (pooled_.stream->handshake()) {
      case net::Stream::Outcome::kDone:
        return Step::kDone;
      case net::Stream::Outcome::kWaits:
        waits_for_stream_ = true;
        step = wait_or_time_out();
        break;
      case net::Stream::Outcome::kEnded:
      case net::Stream::Outcome::kFailed:
        step = fail(pooled_.stream->error());
        break;
    }
  }
  if (step == Step::kFailed) {
    close();
  }
  return step;
}

Socket::Step Socket::send() {
  wait_.stop();
  while (sent_ < output_.size()) {
    const auto progress = pooled_.stream->write(std::string_view(output_).substr(sent_));
    if (progress.outcome == net::Stream::Outcome::kWaits) {
      waits_for_stream_ = true;
      const Step step = wait_or_time_out();
      if (step == Step::kFailed) {
        close();  // nobody knows how much of it the peer has
      }
      return step;
    }
    if (progress.outcome != net::Stream::Outcome::kDone) {
      const Step step = fail(pooled_.stream->error());
      close();
      return step;
    }
    sent_ += progress.count;
  }
  std::string().swap(output_);
  return Step::kDone;
}

// Reads what the socket has, at least a byte. kFailed: nothing more comes, and what is in the input is all.
Socket::Step Socket::read_more(std::size_t wanted) {
  if (input_.size() >= network_.settings().most_received) {
    return fail("too_large");
  }
  if (!ended_) {
    const std::size_t room = std::min(std::max(wanted, kReadRoom), network_.settings().most_received - input_.size());
    const auto progress = pooled_.stream->read(input_.reserve(std::min(room, kReadRoom)), std::min(room, kReadRoom));
    switch (progress.outcome) {
      case net::Stream::Outcome::kDone:
        input_.commit(progress.count);
        return Step::kDone;
      case net::Stream::Outcome::kWaits:
        waits_for_stream_ = true;
        input_.release_if_empty();
        return wait_or_time_out();
      case net::Stream::Outcome::kEnded:
        ended_ = true;
        break;
      case net::Stream::Outcome::kFailed:
        return fail(pooled_.stream->error());
    }
  }
  return fail("closed");
}

// The operation has what it wants: the first `size` bytes; the next `drop` bytes go with them.
Socket::Step Socket::give(std::size_t size, std::size_t drop) {
  received_ = input_.readable().substr(0, size);
  taken_ = size + drop;
  return Step::kDone;
}

void Socket::take() {
  received_ = {};
  input_.consume(std::exchange(taken_, 0));
  input_.release_if_empty();
  if (!error_.empty() && error_ != "timeout" && error_ != "too_large" && input_.empty()) {
    close();
  }
}

Socket::Step Socket::receive_exactly(std::size_t size) {
  wait_.stop();
  while (input_.size() < size) {
    if (const Step step = read_more(size - input_.size()); step != Step::kDone) {
      (void)give(step == Step::kFailed ? input_.size() : 0, 0);
      return step;
    }
  }
  return give(size, 0);
}

Socket::Step Socket::receive_some(std::size_t most) {
  wait_.stop();
  if (input_.empty()) {
    if (const Step step = read_more(most); step != Step::kDone) {
      (void)give(0, 0);
      return step;
    }
  }
  return give(std::min(most, input_.size()), 0);
}

Socket::Step Socket::receive_line() {
  wait_.stop();
  for (;;) {
    const std::size_t end = input_.readable().find('\n', searched_);
    if (end != std::string_view::npos) {
      const std::size_t size = end > 0 && input_.readable()[end - 1] == '\r' ? end - 1 : end;
      return give(size, end + 1 - size);
    }
    searched_ = input_.size();
    if (const Step step = read_more(1); step != Step::kDone) {
      (void)give(step == Step::kFailed ? input_.size() : 0, 0);
      return step;
    }
  }
}

Socket::Step Socket::receive_all() {
  wait_.stop();
  for (;;) {
    const Step step = read_more(kReadRoom);
    if (step == Step::kWaits) {
      return step;
    }
    if (step == Step::kFailed) {
      (void)give(input_.size(), 0);
      if (error_ != "closed") {
        return step;
      }
      error_.clear();
      return Step::kDone;
    }
  }
}

Socket::Step Socket::receive_until(std::string_view mark, std::size_t most) {
  wait_.stop();
  found_mark_ = false;
  for (;;) {
    const std::size_t at = input_.readable().find(mark, searched_);
    if (at != std::string_view::npos && (most == 0 || at <= most)) {
      found_mark_ = true;
      return give(at, mark.size());
    }
    // What can't be the beginning of the mark any more.
    const std::size_t sure = input_.size() >= mark.size() ? input_.size() - mark.size() + 1 : 0;
    if (most != 0 && (at != std::string_view::npos || sure >= most)) {
      return give(most, 0);
    }
    searched_ = std::max(searched_, sure);
    if (const Step step = read_more(1); step != Step::kDone) {
      (void)give(step == Step::kFailed ? input_.size() : 0, 0);
      return step;
    }
  }
}

bool Socket::keep_alive(Milliseconds idle, std::size_t most) {
  const bool unread = !input_.empty() || ended_;
  PooledStream kept = std::move(pooled_);
  close();
  if (unread || !kept.stream->quiet()) {
    error_ = unread ? "closed: bytes of it were not read" : "closed: more came on it, or its end";
    return false;
  }
  pool_.give(key_, std::move(kept), monotonic_ms() + idle, most);
  return true;
}

}  // namespace perigee::client
