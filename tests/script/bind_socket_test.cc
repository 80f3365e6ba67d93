#include "../client/peer_door.h"
#include "vm_fixture.h"

namespace {

// What a handler with this body answers, while the host's loop turns.
std::string run(LoadedVm& loaded) {
  Request request(loaded, get("/"));
  REQUIRE(turn_until(*loaded.host.loop, [&] {
    loaded.host.loop->timers().advance(perigee::monotonic_ms());
    loaded.run_ready();
    return request.settle() != Request::Outcome::kWaiting;
  }));
  return std::to_string(request.status()) + " " + request.body();
}

std::string answer_of(const std::string& body) {
  LoadedVm loaded("app:get('/', function() local sock = perigee.socket.tcp() " + body + " end)");
  return run(loaded);
}

}  // namespace

TEST_CASE("perigee.socket: a task waits for its socket, and gets what came") {
  Door door;
  LoadedVm loaded("app:get('/', function() local sock = perigee.socket.tcp() assert(sock:connect('127.0.0.1', " +
                  std::to_string(door.port()) + ")) assert(sock:send { 'a', 1 }) return (assert(sock:receive())) end)");
  (void)loaded.host.network();
  std::unique_ptr<Peer> peer;
  Request request(loaded, get("/"));
  REQUIRE(turn_until(*loaded.host.loop, [&] {
    if (peer == nullptr && door.knocked()) {
      peer = std::make_unique<Peer>(door.accept());
      peer->send("line\n");
    }
    loaded.run_ready();
    return request.settle() != Request::Outcome::kWaiting;
  }));
  CHECK(request.body() == "line");
  peer->receive();
  CHECK(peer->received() == "a1");
}

TEST_CASE("perigee.socket: what can't be sent, and a name without an address") {
  CHECK(answer_of("sock:connect('127.0.0.1', 1) return 'x'") == "200 x");
  CHECK(answer_of("local _, err = sock:connect('127.0.0.1', 1) return err") == "200 refused");
  CHECK(answer_of("local _, err = sock:connect('unix:/nowhere') return err") == "200 refused");
}

TEST_CASE("perigee.socket: no socket is made while a file is loaded") {
  std::vector<std::string> mistakes;
  Scratch scratch;
  CHECK(LoadedVm::load(scratch.file("app.lua", "require('perigee').socket.tcp()"), mistakes) == nullptr);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].find("perigee.socket.tcp can't be used at the top level of a file") != std::string::npos);
}
