#include "state/topic_inbox.h"

#include <catch2/catch.hpp>
#include <string>

#include "topic_fixture.h"

using perigee::state::TopicInbox;

TEST_CASE("topic inbox: its worker is told once, however much comes until it takes it") {
  CountingExecutor executor;
  TopicInbox inbox(executor, [] {});
  for (int i = 0; i < 3; ++i) {
    if (inbox.push(1, message("x"))) {
      inbox.wake();
    }
  }
  CHECK(executor.posts == 1);
  CHECK(inbox.take().deliveries.size() == 3);
  CHECK(inbox.push(1, message("x")));
  inbox.wake();
  CHECK(executor.posts == 2);
}

TEST_CASE("topic inbox: over its bound it names what something is missing of") {
  CountingExecutor executor;
  TopicInbox inbox(executor, [] {});
  SECTION("messages") {
    const auto shared = message("x");
    for (std::size_t i = 0; i < TopicInbox::kMost + 3; ++i) {
      (void)inbox.push(i < TopicInbox::kMost + 1 ? 1 : 2, shared);
    }
    const auto batch = inbox.take();
    CHECK(batch.deliveries.size() == TopicInbox::kMost);
    CHECK(batch.missed == std::unordered_set<std::uint64_t>{1, 2});
  }
  SECTION("bytes") {
    const auto shared = message(std::string(TopicInbox::kMostBytes / 4, 'x'));
    for (int i = 0; i < 6; ++i) {
      (void)inbox.push(7, shared);
    }
    const auto batch = inbox.take();
    CHECK(batch.deliveries.size() == 4);
    CHECK(batch.missed.contains(7));
  }
  CHECK(inbox.take().missed.empty());
}

TEST_CASE("topic inbox: closed, it keeps nothing and tells nobody") {
  CountingExecutor executor;
  TopicInbox inbox(executor, [] {});
  CHECK(inbox.push(1, message("x")));
  inbox.close();
  inbox.wake();
  CHECK(executor.posts == 0);
  CHECK_FALSE(inbox.push(1, message("x")));
  CHECK(inbox.take().deliveries.empty());
}
