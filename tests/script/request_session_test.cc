#include "script/request_session.h"

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "state/memory_sessions.h"
#include "state/session_data.h"
#include "vm_fixture.h"

using perigee::script::RequestSession;
using perigee::state::MemorySessions;

namespace {

std::string entry(std::string_view key, std::string_view value) {
  std::string out;
  perigee::state::SessionEntries::append(out, key, {perigee::state::ValueKind::kString, 0, value});
  return out;
}

struct Posts final : perigee::Executor {
  void post(std::function<void()> work) override { works.push_back(std::move(work)); }
  std::vector<std::function<void()>> works;
};

}  // namespace

TEST_CASE("request session: it holds what the session held when it was found") {
  MemorySessions store({}, perigee::monotonic_ms());
  const auto made = store.make(entry("k", "old"), perigee::monotonic_ms(), {});
  RequestSession session;
  CHECK_FALSE(session.looked());
  session.look(store, made.token, perigee::monotonic_ms());
  REQUIRE(session.exists());
  (void)store.write(made.session, entry("k", "new"), false, perigee::monotonic_ms(), {});
  CHECK(session.data() == entry("k", "old"));
  session.end();
  CHECK_FALSE(session.looked());
  session.look(store, "", perigee::monotonic_ms());
  CHECK((session.looked() && !session.exists() && session.data().empty()));
}

TEST_CASE("request session: who watches is told of the end, unless the request is over") {
  MemorySessions store({}, perigee::monotonic_ms());
  Posts posts;
  const auto made = store.make(entry("k", "v"), perigee::monotonic_ms(), {});
  {
    RequestSession over;
    over.look(store, made.token, perigee::monotonic_ms());
    over.watch(posts, [] {});
  }
  RequestSession session;
  session.look(store, made.token, perigee::monotonic_ms());
  session.watch(posts, [] {});
  session.watch(posts, [] {});
  (void)store.destroy(made.session, {});
  CHECK(posts.works.size() == 1);
}

TEST_CASE("request session: a handler's changes are written before the answer, and its stream belongs to it") {
  LoadedVm loaded(R"(
    app:get("/set", function(req) req.session.user = "ada" return "set" end)
    app:get("/user", function(req) return tostring(req.session.user) end)
    app:get("/late", function(req)
      return perigee.stream(function(write) write(tostring(pcall(function() req.session.k = 1 end))) end)
    end)
  )");
  std::string cookie;
  {
    Request set(loaded, get("/set"));
    REQUIRE(set.outcome == Request::Outcome::kAnswered);
    CHECK(set.body() == "set");
    const std::string& lines = set.exchange.answer.cookies;  // the fake host's clients come by HTTPS
    REQUIRE_THAT(lines, Catch::StartsWith("Set-Cookie: __Host-session="));
    CHECK_THAT(lines, Catch::Contains("; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"));
    cookie = "Cookie: " + lines.substr(12, lines.find(';') - 12) + "\r\n";
  }
  CHECK(answer_to(loaded, get("/user", cookie)) == "200 ada");
  CHECK(answer_to(loaded, get("/user", cookie + cookie)) == "200 nil");
  CHECK(answer_to(loaded, get("/user")) == "200 nil");
  Request late(loaded, get("/late"));
  CHECK(loaded.dispatcher.stream(late.exchange) == Request::Outcome::kStreamed);
  CHECK(loaded.host.watched == 1);
  CHECK(loaded.host.parts.at(0) == "false");
}
