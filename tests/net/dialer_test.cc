#include "net/dialer.h"

#include "loop_fixture.h"

using perigee::net::Dialer;
using perigee::net::EventLoop;
using perigee::net::SocketAddress;

namespace {

SocketAddress address(const std::string& text) {
  return *SocketAddress::parse(text);
}

// A listening socket of a free port.
class Door {
 public:
  Door() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress any = address("127.0.0.1:0");
    REQUIRE(bind(fd_, any.get(), any.size()) == 0);
    REQUIRE(listen(fd_, 8) == 0);
  }
  ~Door() { close(); }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  [[nodiscard]] SocketAddress place() const { return SocketAddress::of_socket(fd_); }
  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }

 private:
  int fd_;
};

struct Result {
  bool told = false;
  int fd = -1;
  std::string error;
};

Result dial(EventLoop& loop, const std::vector<SocketAddress>& addresses) {
  Result result;
  Dialer dialer(loop, addresses, [&](int fd, const std::string& error) { result = {true, fd, error}; });
  dialer.start();
  REQUIRE(turn_until(loop, [&] {
    loop.timers().advance(perigee::monotonic_ms());
    return result.told;
  }));
  return result;
}

}  // namespace

TEST_CASE("dialer: families take turns, beginning with the first one's") {
  std::string order;
  for (const SocketAddress& each : Dialer::interleave({address("[::1]:1"), address("[::1]:2"), address("[::1]:3"),
                                                       address("127.0.0.1:4"), address("127.0.0.1:5")})) {
    order += std::to_string(each.port());
  }
  CHECK(order == "14253");
}

TEST_CASE("dialer: the first address that answers wins") {
  EventLoop loop;
  Door open;
  Door shut;
  const SocketAddress nobody = shut.place();
  shut.close();
  const Result result = dial(loop, {nobody, nobody, open.place()});
  CHECK(result.fd >= 0);
  CHECK(result.error.empty());
  ::close(result.fd);
}

TEST_CASE("dialer: where no address answers, the last one's error is told") {
  EventLoop loop;
  Door shut;
  const SocketAddress nobody = shut.place();
  shut.close();
  const Result result = dial(loop, {nobody, nobody});
  CHECK(result.fd == -1);
  CHECK(result.error == "refused");
  CHECK(dial(loop, {address("unix:/nowhere/socket")}).error == "refused");
}

TEST_CASE("dialer: one that is destroyed calls nobody and leaves no socket") {
  EventLoop loop;
  Door open;
  bool told = false;
  {
    Dialer dialer(loop, {open.place()}, [&](int, const std::string&) { told = true; });
    dialer.start();
  }
  turn(loop);
  CHECK_FALSE(told);
}
