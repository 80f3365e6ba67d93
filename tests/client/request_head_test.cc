#include "client/request_head.h"

#include <catch2/catch.hpp>

using perigee::client::append_head;
using perigee::client::HttpCall;
using perigee::client::HttpPeer;
using perigee::client::Network;
using perigee::client::Proxy;

namespace {

struct Fixture {
  perigee::net::EventLoop loop;
  Network network{loop};

  /// A request of which nothing is said, to a host of that url.
  [[nodiscard]] HttpCall::Request request(const char* url, const char* proxy = nullptr) {
    auto plan = usual_plan(network, *perigee::http::parse_client_url(url));
    plan.proxy.reset();
    if (proxy != nullptr) {
      plan.proxy = *Proxy::parse(proxy);
    }
    auto peer = std::make_shared<HttpPeer>(network, std::move(plan));
    peer->have_in_common("Common: c\r\n");
    HttpCall::Request made;
    made.method = "POST";
    made.target = "/x";
    made.peer = std::move(peer);
    return made;
  }
};

std::string head_of(const HttpCall::Request& request) {
  std::string output;
  append_head(output, request);
  return output;
}

}  // namespace

TEST_CASE("request head: the host is the peer's, or what the request says") {
  Fixture fixture;
  HttpCall::Request request = fixture.request("http://Example.com:81/");
  CHECK(head_of(request) == "POST /x HTTP/1.1\r\nHost: example.com:81\r\n\r\n");
  request.host = "other.test";
  CHECK(head_of(request) == "POST /x HTTP/1.1\r\nHost: other.test\r\n\r\n");
}

TEST_CASE("request head: the peer's lines come before the request's own, where they are wanted") {
  Fixture fixture;
  HttpCall::Request request = fixture.request("https://example.com/");
  request.fields = "A: b\r\n";
  CHECK(head_of(request) == "POST /x HTTP/1.1\r\nHost: example.com\r\nA: b\r\n\r\n");
  request.usual_fields = true;
  CHECK(head_of(request) == "POST /x HTTP/1.1\r\nHost: example.com\r\nCommon: c\r\nA: b\r\n\r\n");
}

TEST_CASE("request head: of a request of which nothing is said there are the host and the peer's lines") {
  Fixture fixture;
  for (const char* proxy : {static_cast<const char*>(nullptr), "http://proxy.test:3128"}) {
    HttpCall::Request request = fixture.request("http://a/", proxy);
    request.usual_fields = true;
    const std::string start = proxy == nullptr ? "POST /x" : "POST http://a/x";
    CHECK(head_of(request) == start + " HTTP/1.1\r\nHost: a\r\nCommon: c\r\n\r\n");
    request.has_body = true;
    CHECK(head_of(request) == start + " HTTP/1.1\r\nHost: a\r\nCommon: c\r\nContent-Length: 0\r\n\r\n");
    request.host = "other.test";
    request.has_body = false;
    CHECK(head_of(request) == start + " HTTP/1.1\r\nHost: other.test\r\nCommon: c\r\n\r\n");
  }
}

TEST_CASE("request head: a body's length is said, also of an empty one; a stream is chunked") {
  Fixture fixture;
  HttpCall::Request request = fixture.request("http://a/");
  const std::string start = "POST /x HTTP/1.1\r\nHost: a\r\n";
  request.has_body = true;
  CHECK(head_of(request) == start + "Content-Length: 0\r\n\r\n");
  request.body = "twelve bytes";
  CHECK(head_of(request) == start + "Content-Length: 12\r\n\r\n");
  request.streams = true;
  CHECK(head_of(request) == start + "Transfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("request head: a proxy is told the whole url of what is not secure, and who asks") {
  Fixture fixture;
  CHECK(head_of(fixture.request("http://a/", "http://x:@proxy.test:3128")) ==
        "POST http://a/x HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic eDo=\r\n\r\n");
  CHECK(head_of(fixture.request("http://a/", "http://proxy.test:3128")) ==
        "POST http://a/x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(head_of(fixture.request("https://a/", "http://x:@proxy.test:3128")) == "POST /x HTTP/1.1\r\nHost: a\r\n\r\n");
}
