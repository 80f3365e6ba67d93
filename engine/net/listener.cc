#include "net/listener.h"

#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/log.h"

namespace perigee::net {
namespace {

void set_flag(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

const char* unix_path(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_un*>(address.get())->sun_path;
}

// A socket file that nobody listens on any more is left from a server that died: out of the way with it.
void remove_stale(const SocketAddress& address) {
  struct stat found {};
  if (lstat(unix_path(address), &found) != 0 || !S_ISSOCK(found.st_mode)) {
    return;  // nothing there, or nothing of ours: bind() says what is wrong
  }
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe >= 0 && connect(probe, address.get(), address.size()) != 0 && errno == ECONNREFUSED) {
    unlink(unix_path(address));
  }
  ::close(probe);
}

int open_reserve() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Result<ListenSocket> ListenSocket::open(const SocketAddress& address, int backlog, bool reuse_port) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return fail("can't listen on " + address.text() + ": " + std::strerror(errno));
  }
  ListenSocket socket(fd, address);
  if (address.is_unix()) {
    remove_stale(address);
  } else {
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
    if (reuse_port) {
      set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    }
    if (address.family() == AF_INET6) {
      set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    }
  }
  if (bind(fd, address.get(), address.size()) != 0) {
    const int error = errno;
    socket.address_ = SocketAddress();  // not ours: its file stays
    return fail("can't listen on " + address.text() + ": " + std::strerror(error));
  }
  if (listen(fd, backlog) != 0) {
    return fail("can't listen on " + address.text() + ": " + std::strerror(errno));
  }
  if (!address.is_unix()) {
    socket.address_ = SocketAddress::of_socket(fd);
  }
  return socket;
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), address_(other.address_) {}

ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    address_ = other.address_;
  }
  return *this;
}

ListenSocket::~ListenSocket() {
  close();
}

void ListenSocket::close() {
  if (fd_ < 0) {
    return;
  }
  if (address_.is_unix()) {
    unlink(unix_path(address_));
  }
  ::close(fd_);
  fd_ = -1;
}

Listener::Listener(EventLoop& loop, ListenSocket socket, OnAccept on_accept)
    : loop_(loop),
      socket_(std::move(socket)),
      on_accept_(std::move(on_accept)),
      timer_(*this),
      reserve_(open_reserve()) {
  event_assign(
      &event_, loop_.base(), socket_.fd(), EV_READ | EV_PERSIST,
      [](int, short, void* context) {
        auto* self = static_cast<Listener*>(context);
        for (int i = 0; i < kPerEvent && self->accept_one(); ++i) {
        }
      },
      this);
  if (event_add(&event_, nullptr) != 0) {
    throw std::bad_alloc();
  }
}

Listener::~Listener() {
  event_del(&event_);
  if (reserve_ >= 0) {
    ::close(reserve_);
  }
}

void Listener::accept_all() {
  while (accept_one()) {
  }
}

bool Listener::accept_one() {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int fd = accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    try {
      on_accept_(fd, PeerAddress::of(storage));
    } catch (const std::bad_alloc&) {
      ::close(fd);
    }
    return true;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    rest();
  }
  return errno == ECONNABORTED || errno == EINTR;
}

// No descriptor for the next connection: hang up on it with the one kept back, and look again in a moment.
void Listener::rest() {
  log_event(LogLevel::kError, std::string("can't accept a connection: ") + std::strerror(errno));
  ::close(reserve_);
  const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) {
    ::close(fd);
  }
  reserve_ = open_reserve();
  event_del(&event_);
  loop_.timers().add(timer_, monotonic_coarse_ms() + kRest);
  errno = EMFILE;
}

void Listener::resume() {
  event_add(&event_, nullptr);
}

}  // namespace perigee::net
