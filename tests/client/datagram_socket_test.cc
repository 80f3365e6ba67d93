#include "client/datagram_socket.h"

#include "../net/loop_fixture.h"
#include "net/socket_address.h"

using perigee::client::DatagramSocket;
using perigee::client::Network;
using perigee::net::EventLoop;
using perigee::net::SocketAddress;
using Step = perigee::client::DatagramSocket::Step;

TEST_CASE("datagram socket: datagrams go out and come in whole") {
  EventLoop loop;
  Network network(loop);
  const int far = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const SocketAddress any = *SocketAddress::parse("127.0.0.1:0");
  REQUIRE(bind(far, any.get(), any.size()) == 0);
  DatagramSocket socket(network);
  socket.begin_connect({"127.0.0.1", SocketAddress::of_socket(far).port()}, 5000);
  REQUIRE(socket.connect() == Step::kDone);
  socket.begin(5000);
  CHECK(socket.receive(10) == Step::kWaits);
  bool woken = false;
  socket.sleep([&] { woken = true; });
  REQUIRE(socket.send("ping") == Step::kDone);
  char room[16];
  sockaddr_storage client{};
  socklen_t size = sizeof client;
  REQUIRE(recvfrom(far, room, sizeof room, 0, reinterpret_cast<sockaddr*>(&client), &size) == 4);
  REQUIRE(sendto(far, "answer", 6, 0, reinterpret_cast<const sockaddr*>(&client), size) == 6);
  REQUIRE(turn_until(loop, [&] { return woken; }));
  CHECK(socket.receive(3) == Step::kDone);
  CHECK(socket.received() == "ans");
  CHECK(socket.send(std::string(70'000, 'x')) == Step::kFailed);
  CHECK(socket.error() == "too_large");
  ::close(far);
}

TEST_CASE("datagram socket: a receive that nobody answers times out") {
  EventLoop loop;
  Network network(loop);
  DatagramSocket socket(network);
  socket.begin_connect({"127.0.0.1", 9}, 5000);
  REQUIRE(socket.connect() == Step::kDone);
  socket.begin(0);
  CHECK(socket.receive(10) == Step::kFailed);
  CHECK(socket.error() == "timeout");
}
