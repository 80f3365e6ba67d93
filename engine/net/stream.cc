#include "net/stream.h"

#include <event2/event.h>
#include <event2/event_struct.h>
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

void Stream::EventDeleter::operator()(event* event) const {
  event_free(event);
}

Stream::Stream(EventLoop& loop, int fd)
    : loop_(loop),
      fd_(fd),
      event_(event_new(
          loop.base(), fd, 0, [](int, short events, void* self) { static_cast<Stream*>(self)->on_events(events); },
          this)) {
  if (event_ == nullptr) {
    ::close(fd);
    throw std::bad_alloc();
  }
}

Stream::~Stream() {
  event_.reset();
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
      wanted_ = EV_READ;
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
      wanted_ = EV_WRITE;
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
      wanted_ = EV_READ;
      return {Outcome::kWaits};
    case TlsSession::Outcome::kWantsWrite:
      wanted_ = EV_WRITE;
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

bool Stream::stirs() const {
  return (event_->ev_evcallback.evcb_flags & EVLIST_ACTIVE) != 0;
}

void Stream::await(std::function<void()> wake) {
  wake_ = std::move(wake);
  // Reading stays asked for between two waits: requests that follow one another cost no system call for it.
  watch(static_cast<short>(wanted_ == EV_WRITE ? (interest_ & EV_READ) | EV_WRITE : EV_READ));
}

void Stream::await_either(std::function<void()> wake) {
  wanted_ = EV_READ | EV_WRITE;
  wake_ = std::move(wake);
  watch(EV_READ | EV_WRITE);
}

void Stream::await_any(std::function<void()> wake) {
  wanted_ = EV_READ;
  await(std::move(wake));
}

void Stream::watch(short interest) {
  if (interest == interest_) {
    return;
  }
  if (interest_ != 0) {
    event_del(event_.get());
  }
  interest_ = interest;
  if (interest == 0) {
    return;
  }
  event_assign(
      event_.get(), loop_.base(), fd_, static_cast<short>(interest | EV_PERSIST),
      [](int, short events, void* self) { static_cast<Stream*>(self)->on_events(events); }, this);
  if (event_add(event_.get(), nullptr) != 0) {
    interest_ = 0;
    throw std::bad_alloc();
  }
}

void Stream::on_events(short events) try {
  if ((events & wanted_) == 0 || !wake_) {
    watch(static_cast<short>(interest_ & ~events));  // nobody asked for it
    return;
  }
  watch(static_cast<short>(interest_ & ~EV_WRITE));
  const auto wake = std::exchange(wake_, nullptr);
  wake();
} catch (const std::bad_alloc&) {
  log_event(LogLevel::kError, "out of memory: an outbound connection was not attended to");
}

}  // namespace perigee::net
