#include "net/listener.h"

#include <sys/resource.h>
#include <sys/un.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <new>
#include <vector>

#include "../server/captured_log.h"
#include "../server/scratch.h"
#include "loop_fixture.h"

using perigee::net::EventLoop;
using perigee::net::Listener;
using perigee::net::ListenSocket;
using perigee::net::PeerAddress;
using perigee::net::SocketAddress;

namespace {

SocketAddress address_of(const std::string& text) {
  const auto address = SocketAddress::parse(text);
  REQUIRE(address);
  return *address;
}

ListenSocket opened(const std::string& text, bool reuse_port = false) {
  auto socket = ListenSocket::open(address_of(text), 16, reuse_port);
  if (!socket) {
    FAIL(socket.error().message);
  }
  return std::move(*socket);
}

// A listener on a free port, on a loop turned by hand; keeps what it accepts.
struct Door {
  explicit Door(const std::string& text = "127.0.0.1:0")
      : listener(loop, opened(text), [this](int fd, const PeerAddress& peer) {
          accepted.push_back(std::make_unique<Peer>(fd));
          peers.push_back(peer);
        }) {}

  [[nodiscard]] int port() const { return listener.address().port(); }

  EventLoop loop;
  std::vector<std::unique_ptr<Peer>> accepted;
  std::vector<PeerAddress> peers;
  Listener listener;
};

// Takes every descriptor the process may have; gives them back when it goes.
class Famine {
 public:
  Famine() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{std::min<rlim_t>(before_.rlim_cur, 256), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = 0; (fd = dup(0)) >= 0;) {
      taken_.push_back(fd);
    }
  }
  ~Famine() { end(); }
  Famine(const Famine&) = delete;
  Famine& operator=(const Famine&) = delete;

  void end() {
    for (const int fd : taken_) {
      ::close(fd);
    }
    taken_.clear();
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

// The first look of a sanitizer at an object takes descriptors: the log is used once while there are some.
void warm_up() {
  perigee::log_event(perigee::LogLevel::kInfo, "ready");
}

bool can_connect(const std::string& path) {
  const SocketAddress address = address_of("unix:" + path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(fd, address.get(), address.size()) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

TEST_CASE("listen socket: port 0 becomes the port the kernel chose") {
  const ListenSocket first = opened("127.0.0.1:0");
  const ListenSocket second = opened("127.0.0.1:0");
  CHECK(first.address().port() > 0);
  CHECK(first.address().port() != second.address().port());
  CHECK(first.address().text() == "127.0.0.1:" + std::to_string(first.address().port()));
}

TEST_CASE("listen socket: an address in use is an error that names it") {
  const ListenSocket first = opened("127.0.0.1:0");
  const auto second = ListenSocket::open(first.address(), 16, false);
  REQUIRE_FALSE(second);
  CHECK(second.error().message == "can't listen on " + first.address().text() + ": Address already in use");
}

TEST_CASE("listen socket: several share an address where all of them ask to") {
  const ListenSocket first = opened("127.0.0.1:0", true);
  const ListenSocket second = opened(first.address().text(), true);
  CHECK(second.address().port() == first.address().port());
  CHECK_FALSE(ListenSocket::open(first.address(), 16, false));
}

TEST_CASE("listen socket: its address is free again once it is gone") {
  SocketAddress address;
  {
    const ListenSocket first = opened("127.0.0.1:0");
    address = first.address();
  }
  CHECK(ListenSocket::open(address, 16, false));
}

TEST_CASE("listen socket: one that is moved or assigned is closed once") {
  ListenSocket first = opened("127.0.0.1:0");
  const int fd = first.fd();
  ListenSocket second = std::move(first);
  CHECK(second.fd() == fd);
  CHECK(first.fd() == -1);
  ListenSocket third = opened("127.0.0.1:0");
  const SocketAddress old = third.address();
  third = std::move(second);
  CHECK(third.fd() == fd);
  CHECK(ListenSocket::open(old, 16, false));
}

TEST_CASE("listen socket: a unix socket's file is there while it listens and goes with it") {
  const Scratch scratch;
  const std::string path = scratch.path("perigee.sock");
  {
    const ListenSocket socket = opened("unix:" + path);
    CHECK(std::filesystem::is_socket(path));
    CHECK(can_connect(path));
    CHECK(socket.address().text() == "unix:" + path);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("listen socket: a unix socket's file that a dead server left is replaced") {
  const Scratch scratch;
  const std::string path = scratch.path("perigee.sock");
  const SocketAddress address = address_of("unix:" + path);
  const int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(bind(dead, address.get(), address.size()) == 0);
  ::close(dead);
  REQUIRE(std::filesystem::is_socket(path));
  const ListenSocket socket = opened("unix:" + path);
  CHECK(can_connect(path));
}

TEST_CASE("listen socket: a unix socket that somebody listens on is left alone") {
  const Scratch scratch;
  const std::string path = scratch.path("perigee.sock");
  const ListenSocket first = opened("unix:" + path);
  {
    const auto second = ListenSocket::open(first.address(), 16, false);
    REQUIRE_FALSE(second);
    CHECK(second.error().message == "can't listen on unix:" + path + ": Address already in use");
  }
  CHECK(can_connect(path));
}

TEST_CASE("listen socket: a unix socket in a missing folder is an error") {
  const Scratch scratch;
  const auto socket = ListenSocket::open(address_of("unix:" + scratch.path("none/p.sock")), 16, false);
  REQUIRE_FALSE(socket);
  CHECK(socket.error().message ==
        "can't listen on unix:" + scratch.path("none/p.sock") + ": No such file or directory");
}

TEST_CASE("listener: what it accepts is non-blocking, not inherited, and says who called") {
  Door door;
  const Peer caller(connect_to(door.port()));
  REQUIRE(turn_until(door.loop, [&] { return door.accepted.size() == 1; }));
  const int fd = door.accepted[0]->fd();
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(door.peers[0].text() == "127.0.0.1");
  CHECK(door.peers[0].port == SocketAddress::of_socket(caller.fd()).port());
}

TEST_CASE("listener: accept_all takes whoever stands in the queue") {
  Door door;
  const std::vector<int> callers = {connect_to(door.port()), connect_to(door.port()), connect_to(door.port())};
  door.listener.accept_all();
  CHECK(door.accepted.size() == 3);
  std::for_each(callers.begin(), callers.end(), ::close);
}

TEST_CASE("listener: a connection that there is no memory for is hung up on") {
  EventLoop loop;
  int calls = 0;
  Listener listener(loop, opened("127.0.0.1:0"), [&](int, const PeerAddress&) {
    ++calls;
    throw std::bad_alloc();
  });
  Peer caller(connect_to(listener.address().port()));
  REQUIRE(turn_until(loop, [&] { return !caller.receive(); }));
  CHECK(calls == 1);
  CHECK(caller.finished());
}

TEST_CASE("listener: without a descriptor to spare it hangs up on the caller and rests instead of spinning") {
  const CapturedLog log;
  warm_up();
  Door door;
  Peer turned_away(connect_to(door.port()));
  Peer waiting(connect_to(door.port()));
  Famine famine;
  const bool hung_up = turn_until(door.loop, [&] { return !turned_away.receive(); });
  for (int i = 0; i < 50; ++i) {
    turn(door.loop);
  }
  famine.end();
  REQUIRE(hung_up);
  CHECK(log.text() == "info ready\nerror can't accept a connection: Too many open files\n");
  turn(door.loop);
  CHECK(door.accepted.empty());
  CHECK(waiting.receive());
  door.loop.timers().advance(perigee::monotonic_ms() + 200);
  REQUIRE(turn_until(door.loop, [&] { return door.accepted.size() == 1; }));
  CHECK(waiting.receive());
}

TEST_CASE("listener: one that rests can be closed") {
  const CapturedLog log;
  warm_up();
  EventLoop loop;
  auto listener =
      std::make_unique<Listener>(loop, opened("127.0.0.1:0"), [](int fd, const PeerAddress&) { ::close(fd); });
  Peer caller(connect_to(listener->address().port()));
  Famine famine;
  const bool hung_up = turn_until(loop, [&] { return !caller.receive(); });
  famine.end();
  REQUIRE(hung_up);
  listener.reset();
  loop.timers().advance(perigee::monotonic_ms() + 1000);
  turn(loop);
  CHECK(log.text() == "info ready\nerror can't accept a connection: Too many open files\n");
}

TEST_CASE("listen socket: a file that is no socket is never removed") {
  const Scratch scratch;
  const std::string path = scratch.file("notes.txt", "precious");
  const auto socket = ListenSocket::open(address_of("unix:" + path), 16, false);
  CHECK_FALSE(socket);
  CHECK(Scratch::read(path) == "precious");
}
