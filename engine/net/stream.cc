#include "net/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/log.h"

namespace perigee::net {

std::string socket_error(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:  // of a Unix socket
      return "refused";
    case ECONNRESET:
    case EPIPE:
      return "reset";
    case ETIMEDOUT:
      return "timeout";
    default:
      return std::string("refused: ") + std::strerror(error);
  }
}

Stream::Stream(EventLoop& loop, int fd) : loop_(loop), fd_(fd), watch_(loop.poller(), *this) {}

Stream::~Stream() {
  watch_.set(fd_, 0);
  if (tls_ != nullptr) {
    tls_->say_goodbye();
  }
  ::close(fd_);
}

Stream::Progress Stream::read(char* room, std::size_t size) {
  if (tls_ == nullptr) {
    return read_plain(room, size);  // also where writing failed: an answer may have come before that
  }
  return error_.empty() ? settle(tls_->read(room, size)) : Progress{Outcome::kFailed};
}

Stream::Progress Stream::read_plain(char* room, std::size_t size) {
  for (;;) {
    const ssize_t count = ::recv(fd_, room, size, 0);
    if (count > 0) {
      return {Outcome::kDone, static_cast<std::size_t>(count)};
    }
    if (count == 0) {
      return {Outcome::kEnded};
    }
    if (errno == EAGAIN) {
      wanted_ = Watch::kRead;
      return {Outcome::kWaits};
    }
    if (errno != EINTR) {
      error_ = socket_error(errno);
      return {Outcome::kFailed};
    }
  }
}

Stream::Progress Stream::write(std::string_view bytes) {
  if (!error_.empty()) {
    return {Outcome::kFailed};
  }
  if (tls_ != nullptr) {
    return settle(tls_->write(bytes));
  }
  for (;;) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      return {Outcome::kDone, static_cast<std::size_t>(count)};
    }
    if (errno == EAGAIN) {
      wanted_ = Watch::kWrite;
      return {Outcome::kWaits};
    }
    if (errno != EINTR) {
      error_ = errno == EPIPE ? "closed" : socket_error(errno);
      return {Outcome::kFailed};
    }
  }
}

Stream::Progress Stream::settle(TlsSession::Progress progress) {
  switch (progress.outcome) {
    case TlsSession::Outcome::kDone:
      return {Outcome::kDone, progress.count};
    case TlsSession::Outcome::kWantsRead:
      wanted_ = Watch::kRead;
      return {Outcome::kWaits};
    case TlsSession::Outcome::kWantsWrite:
      wanted_ = Watch::kWrite;
      return {Outcome::kWaits};
    case TlsSession::Outcome::kEnded:
      return {Outcome::kEnded};
    case TlsSession::Outcome::kFailed:
      break;
  }
  error_ = tls_->error();
  return {Outcome::kFailed};
}

bool Stream::begin_tls(TlsContext& context, const TlsTarget& target) {
  auto made = TlsSession::create(context, fd_, target);
  if (!made) {
    error_ = std::move(made).error().message;
    return false;
  }
  tls_ = *std::move(made);
  return true;
}

Stream::Outcome Stream::handshake() {
  return error_.empty() ? settle(tls_->handshake()).outcome : Outcome::kFailed;
}

bool Stream::quiet() {
  char byte = 0;
  if (!error_.empty()) {
    return false;
  }
  if (tls_ != nullptr) {
    return tls_->peek() == TlsSession::Outcome::kWantsRead;
  }
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void Stream::await(std::function<void()> wake) {
  wake_ = std::move(wake);
  // Reading stays asked for between two waits: requests that follow one another cost no system call for it.
  watch_.set(fd_, wanted_ == Watch::kWrite ? (watch_.events() & Watch::kRead) | Watch::kWrite : Watch::kRead);
}

void Stream::await_either(std::function<void()> wake) {
  wanted_ = Watch::kRead | Watch::kWrite;
  wake_ = std::move(wake);
  watch_.set(fd_, Watch::kRead | Watch::kWrite);
}

void Stream::await_any(std::function<void()> wake) {
  wanted_ = Watch::kRead;
  await(std::move(wake));
}

void Stream::on_events(Watch::Events events) try {
  if ((events & wanted_) == 0 || !wake_) {
    watch_.set(fd_, watch_.events() & ~events);  // nobody asked for it
    return;
  }
  watch_.set(fd_, watch_.events() & ~Watch::kWrite);
  const auto wake = std::exchange(wake_, nullptr);
  wake();
} catch (const std::bad_alloc&) {
  log_event(LogLevel::kError, "out of memory: an outbound connection was not attended to");
}

}  // namespace perigee::net
