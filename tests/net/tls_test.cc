#include "net/tls.h"

#include "loop_fixture.h"
#include "net/stream.h"

using perigee::net::EventLoop;
using perigee::net::Stream;
using perigee::net::TlsContext;
using perigee::net::TlsSession;
using Outcome = perigee::net::Stream::Outcome;

TEST_CASE("tls: files that can't be read are named") {
  CHECK(TlsContext::create({}).has_value());
  CHECK(TlsContext::create({"/nowhere", "", ""}).error().message.starts_with("tls: the trusted certificates in"));
  CHECK(TlsContext::create({"", "/nowhere", ""}).error().message.starts_with("tls: the certificate in '/nowhere'"));
}

TEST_CASE("tls: a session wants to know whom it verifies") {
  const auto context = *TlsContext::create({});
  CHECK_FALSE(TlsSession::create(*context, 0, {"", true, {}}).has_value());
  CHECK(TlsSession::create(*context, 0, {"", false, {}}).has_value());
  CHECK(TlsSession::create(*context, 0, {"example.com", true, {"h2", "http/1.1"}}).has_value());
  CHECK(TlsSession::create(*context, 0, {"::1", true, {}}).has_value());
  CHECK_FALSE(TlsSession::create(*context, 0, {"example.com", true, {""}}).has_value());
}

TEST_CASE("tls: a peer that speaks no TLS, or leaves, is an error of tls") {
  const auto context = *TlsContext::create({});
  EventLoop loop;
  const auto [own, far] = connected_sockets();
  Stream stream(loop, own);
  Peer peer(far);
  REQUIRE(stream.begin_tls(*context, {"example.com", true, {}}));
  CHECK(stream.handshake() == Outcome::kWaits);
  SECTION("no TLS") {
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    REQUIRE(turn_until(loop, [&] { return stream.handshake() == Outcome::kFailed; }));
    CHECK(stream.error().starts_with("tls: "));
  }
  SECTION("it leaves") {
    peer.receive();
    peer.finish_sending();
    REQUIRE(turn_until(loop, [&] { return stream.handshake() == Outcome::kFailed; }));
    CHECK(stream.error() == "tls: the peer closed the connection during the handshake");
  }
}
