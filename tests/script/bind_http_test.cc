#include "../client/peer_door.h"
#include "vm_fixture.h"

TEST_CASE("perigee.http: a task waits for an answer, and gets it") {
  Door door;
  LoadedVm loaded(
      "app:get('/', function() local res = assert(perigee.http.post('http://127.0.0.1:" + std::to_string(door.port()) +
      "/p', { json = { 1 } })) return res.status .. res.headers['X-A'] .. res:json()[1] end)");
  (void)loaded.host.network();
  std::unique_ptr<Peer> peer;
  Request request(loaded, get("/"));
  REQUIRE(turn_until(*loaded.host.loop, [&] {
    if (peer == nullptr && door.knocked()) {
      peer = std::make_unique<Peer>(door.accept());
    }
    if (peer != nullptr && peer->receive() && peer->received().ends_with("[1]")) {
      peer->send("HTTP/1.1 201 Made\r\nX-A: b\r\nContent-Length: 7\r\n\r\n[\"one\"]");
    }
    loaded.run_ready();
    return request.settle() != Request::Outcome::kWaiting;
  }));
  CHECK(request.body() == "201bone");
  CHECK(peer->received().starts_with("POST /p HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(peer->received().find("\r\nContent-Length: 3\r\n") != std::string::npos);
}

TEST_CASE("perigee.http: a task that is cancelled closes its call") {
  Door door;
  LoadedVm loaded("app:get('/', function() local task = perigee.spawn(perigee.http.get, 'http://127.0.0.1:" +
                  std::to_string(door.port()) + "/') perigee.sleep(0) task:cancel() task:wait() return 'over' end)");
  (void)loaded.host.network();
  Request request(loaded, get("/"));
  request.complete();
  CHECK(request.body() == "over");
  REQUIRE(turn_until(*loaded.host.loop, [&] { return door.knocked(); }));
  Peer peer = door.accept();
  REQUIRE(turn_until(*loaded.host.loop, [&] { return !peer.receive(); }));
}

TEST_CASE("perigee.http: nothing is asked for while a file is loaded") {
  std::vector<std::string> mistakes;
  Scratch scratch;
  CHECK(LoadedVm::load(scratch.file("app.lua", "require('perigee').http.get('http://x')"), mistakes) == nullptr);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].find("perigee.http can't be used at the top level of a file") != std::string::npos);
}

TEST_CASE("perigee.http: the headers of an answer are made when they are asked for, and once") {
  Door door;
  LoadedVm loaded(
      "app:get('/', function() local res = assert(perigee.http.get('http://127.0.0.1:" + std::to_string(door.port()) +
      "/p')) assert(rawget(res, 'headers') == nil) local h = res.headers assert(res.headers == h)\n"
      "return res.body .. h['X-A'] .. h['set-cookie'][2] .. tostring(h['content-length']) .. tostring(h.absent) end)");
  (void)loaded.host.network();
  std::unique_ptr<Peer> peer;
  Request request(loaded, get("/"));
  REQUIRE(turn_until(*loaded.host.loop, [&] {
    if (peer == nullptr && door.knocked()) {
      peer = std::make_unique<Peer>(door.accept());
    }
    if (peer != nullptr && peer->receive() && peer->received().ends_with("\r\n\r\n")) {
      peer->send(
          "HTTP/1.1 200 OK\r\nX-A: b\r\nx-a:  c \r\nSet-Cookie: d\r\nSet-Cookie: e\r\nContent-Length: 4\r\n\r\nbody");
    }
    loaded.run_ready();
    return request.settle() != Request::Outcome::kWaiting;
  }));
  CHECK(request.body() == "bodyb, ce4nil");
}
