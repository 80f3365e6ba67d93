#include "net/resolver.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <optional>

#include "loop_fixture.h"

using perigee::net::EventLoop;
using perigee::net::NameAnswer;
using perigee::net::Resolver;
using perigee::net::ResolverSettings;

namespace {

// A nameserver that answers when the test says so: every question for an A record by one address.
class FakeNameserver {
 public:
  FakeNameserver() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~FakeNameserver() { close(fd_); }
  FakeNameserver(const FakeNameserver&) = delete;
  FakeNameserver& operator=(const FakeNameserver&) = delete;

  /// Answers what has been asked by `code` (0: good, 3: no such name) and a ttl in seconds.
  void answer(int code, unsigned char ttl) {
    unsigned char bytes[512];
    sockaddr_in client{};
    socklen_t size = sizeof client;
    for (;;) {
      const ssize_t count = recvfrom(fd_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&client), &size);
      if (count < 16) {
        return;
      }
      std::string reply(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
      const bool plain = reply[reply.size() - 3] == 1 && code == 0;  // QTYPE A
      asked += plain ? 1 : 0;
      reply[2] = static_cast<char>(0x81);
      reply[3] = static_cast<char>(0x80 | code);
      reply[7] = plain ? 1 : 0;
      if (plain) {
        const char record[] = {'\xc0', 12, 0, 1, 0, 1, 0, 0, 0, static_cast<char>(ttl), 0, 4, 127, 0, 0, 9};
        reply.append(record, sizeof record);
      }
      sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&client), size);
    }
  }

  [[nodiscard]] ResolverSettings settings() const {
    ResolverSettings made;
    made.nameservers = {"127.0.0.1:" + std::to_string(port_)};
    return made;
  }

  int asked = 0;  ///< questions for an A record that were answered by one

 private:
  int fd_;
  int port_ = 0;
};

std::string text_of(const NameAnswer& answer) {
  return answer.addresses.empty() ? answer.error : answer.addresses.front().text();
}

}  // namespace

TEST_CASE("resolver: an IP address stands for itself, at once") {
  EventLoop loop;
  Resolver resolver(loop, {});
  for (const char* text : {"192.0.2.7", "2001:db8::1"}) {
    std::string found;
    CHECK(resolver.resolve(text, [&](const NameAnswer& answer) { found = text_of(answer); }) == 0);
    CHECK(found == text);
  }
}

TEST_CASE("resolver: questions for one name are asked once, and the answer is kept for its ttl") {
  EventLoop loop;
  FakeNameserver server;
  Resolver resolver(loop, server.settings());
  std::string first;
  std::string second;
  CHECK(resolver.resolve("a.test", [&](const NameAnswer& answer) { first = text_of(answer); }) != 0);
  CHECK(resolver.resolve("A.TEST", [&](const NameAnswer& answer) { second = text_of(answer); }) != 0);
  CHECK(resolver.pending() == 1);
  REQUIRE(turn_until(loop, [&] {
    server.answer(0, 60);
    return !second.empty();
  }));
  CHECK(first == "127.0.0.9");
  CHECK(second == "127.0.0.9");
  CHECK(server.asked == 1);
  std::string third;
  CHECK(resolver.resolve("a.test", [&](const NameAnswer& answer) { third = text_of(answer); }) == 0);
  CHECK(third == "127.0.0.9");
}

TEST_CASE("resolver: an answer without a ttl is not kept") {
  EventLoop loop;
  FakeNameserver server;
  Resolver resolver(loop, server.settings());
  for (int i = 0; i < 2; ++i) {
    std::string found;
    CHECK(resolver.resolve("a.test", [&](const NameAnswer& answer) { found = text_of(answer); }) != 0);
    REQUIRE(turn_until(loop, [&] {
      server.answer(0, 0);
      return !found.empty();
    }));
  }
  CHECK(server.asked == 2);
}

TEST_CASE("resolver: a name that does not exist is an error that names it") {
  EventLoop loop;
  FakeNameserver server;
  Resolver resolver(loop, server.settings());
  std::string found;
  CHECK(resolver.resolve("none.test", [&](const NameAnswer& answer) { found = text_of(answer); }) != 0);
  REQUIRE(turn_until(loop, [&] {
    server.answer(3, 0);
    return !found.empty();
  }));
  CHECK(found == "dns: no such name: none.test");
}

TEST_CASE("resolver: what is cancelled is not called, also from within an answer") {
  EventLoop loop;
  FakeNameserver server;
  Resolver resolver(loop, server.settings());
  int called = 0;
  std::uint64_t second = 0;
  const std::uint64_t cancelled = resolver.resolve("a.test", [&](const NameAnswer&) { called += 100; });
  (void)resolver.resolve("a.test", [&](const NameAnswer&) {
    ++called;
    resolver.cancel(second);
  });
  second = resolver.resolve("a.test", [&](const NameAnswer&) { called += 100; });
  resolver.cancel(cancelled);
  REQUIRE(turn_until(loop, [&] {
    server.answer(0, 60);
    return called > 0;
  }));
  CHECK(called == 1);
}

TEST_CASE("resolver: one that is destroyed tells nobody anything") {
  EventLoop loop;
  FakeNameserver server;
  bool called = false;
  {
    Resolver resolver(loop, server.settings());
    (void)resolver.resolve("a.test", [&](const NameAnswer&) { called = true; });
  }
  server.answer(0, 60);
  turn(loop);
  CHECK_FALSE(called);
}

TEST_CASE("resolver: nameservers are addresses with or without a port") {
  for (const char* good : {"192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53", "2001:db8::1"}) {
    CHECK(Resolver::check_nameserver(good).has_value());
  }
  for (const char* bad : {"", "example.com", "192.0.2.1,192.0.2.2"}) {
    INFO(bad);
    CHECK_FALSE(Resolver::check_nameserver(bad).has_value());
  }
}
