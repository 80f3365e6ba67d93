#include "server/visit.h"

#include "served_visit.h"

using perigee::server::Visit;

namespace {

constexpr const char* kRequest = "GET /path?a=b HTTP/1.1\r\nHost: example\r\n\r\n";

}  // namespace

TEST_CASE("visit: detaching takes the head out of the connection's buffer and keeps what it said") {
  ServedVisit served(std::string(kRequest) + "GET /next");
  served.visit.detach();
  CHECK(served.client->input().readable() == "GET /next");
  served.client->input().consume(9);
  served.client->input().release();
  served.visit.detach();
  CHECK(served.visit.view.path.view() == "/path");
  CHECK(served.visit.view.query.view() == "a=b");
  CHECK(served.visit.detached);
}

TEST_CASE("visit: without a connection there is nothing to detach") {
  ServedVisit served(kRequest);
  served.visit.connection = nullptr;
  served.visit.detach();
  CHECK_FALSE(served.visit.detached);
  CHECK(served.client->input().readable() == kRequest);
}

TEST_CASE("visit: a refused head is shown as a plain GET that says nothing") {
  ServedVisit served(kRequest);
  served.visit.publish_refused();
  CHECK(served.visit.view.path.view().empty());
  CHECK(served.visit.view.target.view().empty());
  CHECK(served.visit.view.host.view().empty());
  CHECK(served.visit.head.find("host") == perigee::http::RequestHead::kAbsent);
  CHECK_FALSE(served.visit.head.keep_alive);
  CHECK(served.visit.read_query() == 0);
  CHECK(served.visit.read_cookies() == 0);
  served.visit.detach();
  CHECK(served.client->input().readable() == kRequest);
}

TEST_CASE("visit: beginning anew forgets the request before") {
  ServedVisit served(kRequest);
  Visit& visit = served.visit;
  visit.detach();
  visit.stage = Visit::Stage::kStreaming;
  visit.discard_body = visit.close_after = visit.chunked_answer = visit.head_timed = visit.limit_set = true;
  visit.body_received = 7;
  visit.match.route = 3;
  visit.begin(*served.client);
  CHECK(visit.stage == Visit::Stage::kHead);
  CHECK_FALSE((visit.discard_body || visit.close_after || visit.chunked_answer || visit.head_timed || visit.limit_set ||
               visit.detached));
  CHECK(visit.body_received == 0);
  CHECK(visit.match.route == -1);
  CHECK(visit.generation == nullptr);
  CHECK(visit.client() == served.client);
}
