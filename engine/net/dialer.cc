#include "net/dialer.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/log.h"
#include "net/stream.h"

namespace perigee::net {

/// One socket that is being connected.
struct Dialer::Attempt {
  struct EventDeleter {
    void operator()(event* event) const { event_free(event); }
  };

  Attempt(Dialer& dialer, int socket)
      : owner(dialer),
        fd(socket),
        connected(event_new(
            dialer.loop_.base(), socket, EV_WRITE,
            [](int, short, void* self) {
              auto& attempt = *static_cast<Attempt*>(self);
              attempt.owner.settle(attempt);
            },
            this)) {
    if (connected == nullptr || event_add(connected.get(), nullptr) != 0) {
      ::close(fd);
      throw std::bad_alloc();
    }
  }
  ~Attempt() {
    connected.reset();
    if (fd >= 0) {
      ::close(fd);
    }
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  Dialer& owner;
  int fd;
  std::unique_ptr<event, EventDeleter> connected;
};

Dialer::Dialer(EventLoop& loop, std::vector<SocketAddress> addresses, Done done)
    : loop_(loop), addresses_(interleave(addresses)), done_(std::move(done)), timer_(*this) {}

Dialer::~Dialer() = default;

std::vector<SocketAddress> Dialer::interleave(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> first;
  std::vector<SocketAddress> second;
  for (const SocketAddress& address : addresses) {
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  }
  std::vector<SocketAddress> turns;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) {
      turns.push_back(first[i]);
    }
    if (i < second.size()) {
      turns.push_back(second[i]);
    }
  }
  return turns;
}

void Dialer::start() {
  begin_next();
}

void Dialer::begin_next() try {
  while (next_ < addresses_.size()) {
    if (begin(addresses_[next_++])) {
      if (next_ < addresses_.size()) {
        loop_.timers().add(timer_, monotonic_ms() + kHeadStart);
      }
      return;
    }
  }
  if (attempts_.empty()) {
    finish(-1);
  }
} catch (const std::bad_alloc&) {
  error_ = "refused: out of memory";
  finish(-1);
}

// False where it failed at once. The loop tells of a success, even where it is there already: who started the dialer
// is spared one way of being called back.
bool Dialer::begin(const SocketAddress& address) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    error_ = errno == EMFILE || errno == ENFILE ? "full: too many open files" : socket_error(errno);
    return false;
  }
  const int on = 1;
  if (!address.is_unix()) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(fd, address.get(), address.size()) != 0 && errno != EINPROGRESS) {
    error_ = errno == EAGAIN ? "refused: its queue is full" : socket_error(errno);
    ::close(fd);
    return false;
  }
  attempts_.push_back(std::make_unique<Attempt>(*this, fd));
  return true;
}

void Dialer::settle(Attempt& attempt) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(attempt.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) {
    finish(std::exchange(attempt.fd, -1));
    return;
  }
  error_ = socket_error(error);
  std::erase_if(attempts_, [&attempt](const auto& each) { return each.get() == &attempt; });
  begin_next();
}

void Dialer::finish(int fd) {
  timer_.cancel();
  attempts_.clear();
  const Done done = std::move(done_);
  const std::string error = fd < 0 ? error_ : std::string();
  try {
    done(fd, error);
  } catch (const std::bad_alloc&) {
    log_event(LogLevel::kError, "out of memory: what became of a connect was lost");
  }
}

}  // namespace perigee::net
