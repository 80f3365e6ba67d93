#include "state/topics.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "topic_fixture.h"

using namespace perigee::state;

TEST_CASE("topics: who listens gets what is published from then on, in order") {
  Reader reader;
  Topics topics;
  topics.publish("t", message("before"));
  (void)reader.subscribe(topics, {"t"});
  topics.publish("t", message("a"));
  topics.publish("other", message("x"));
  topics.publish("t", message("b"));
  CHECK(reader.take() == "a b");
  topics.unsubscribe(*reader.inbox, "t");
  topics.publish("t", message("c"));
  CHECK(reader.take().empty());
}

TEST_CASE("topics: stamps increase over all topics, and are ids of 16 digits") {
  Topics topics;
  std::uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    auto made = message("x");
    const SharedMessage kept = made;
    const std::uint64_t stamp = topics.publish(i % 2 == 0 ? "a" : "b", std::move(made));
    REQUIRE(stamp > last);
    REQUIRE(kept->id_text() == std::to_string(stamp));
    last = stamp;
  }
}

TEST_CASE("topics: who comes back gets what it missed, once") {
  Reader reader;
  Topics topics;
  const std::uint64_t first = topics.publish("t", message("a"));
  topics.publish("t", message("b"));
  const auto joined = reader.subscribe(topics, {"t"}, std::to_string(first));
  CHECK(text_of(joined.replay) == "b");
  topics.publish("t", message("c"));
  REQUIRE(reader.inbox->take().deliveries.at(0).message->stamp > joined.stamp);
}

TEST_CASE("topics: an id of its own is found, an unknown one asks for all that is kept") {
  Reader reader;
  Topics topics;
  for (const char* text : {"a", "b", "c"}) {
    topics.publish("t", message(text, std::string("id-") + text));
  }
  const std::pair<std::string, std::string> cases[] = {{"id-a", "b c"},
                                                       {"id-c", ""},
                                                       {"id-x", "a b c"},
                                                       {"", "a b c"},
                                                       {"7", "a b c"},
                                                       {"99999999999999999999", "a b c"},
                                                       {"9999999999999999", "a b c"}};
  for (const auto& [id, expected] : cases) {
    CHECK(text_of(reader.subscribe(topics, {"t"}, id).replay) == expected);
  }
  CHECK(text_of(reader.subscribe(topics, {"t"}).replay).empty());
}

TEST_CASE("topics: one id is a place in several topics") {
  Reader reader;
  Topics topics;
  topics.publish("a", message("a1"));
  const std::uint64_t stamp = topics.publish("b", message("b1"));
  topics.publish("a", message("a2"));
  topics.publish("b", message("b2"));
  topics.publish("a", message("a3"));
  CHECK(text_of(reader.subscribe(topics, {"b", "a"}, std::to_string(stamp)).replay) == "a2 b2 a3");
}

TEST_CASE("topics: history is bounded by count, by age and by memory") {
  Reader reader;
  Topics topics;
  SECTION("count") {
    topics.apply({2, 1'000'000'000, 1 << 20});
    for (const char* text : {"a", "b", "c"}) {
      topics.publish("t", message(text));
    }
    CHECK(text_of(reader.subscribe(topics, {"t"}, "").replay) == "b c");
    topics.apply({1, 1'000'000'000, 1 << 20});
    CHECK(text_of(reader.subscribe(topics, {"t"}, "").replay) == "c");
  }
  SECTION("none") {
    topics.apply({0, 1'000'000'000, 1 << 20});
    topics.publish("t", message("a"));
    CHECK(topics.size().topics == 0);
  }
  SECTION("age") {
    topics.apply({10, 0, 1 << 20});
    const std::uint64_t stamp = topics.publish("t", message("a"));
    while (topics.publish("u", message("b")) <= stamp + 1) {
    }
    // Nothing but u's may be left, which may be younger than the clock's step. The clock may have been set back.
    const std::int64_t end = perigee::monotonic_ms() + 5000;
    do {
      topics.sweep();
    } while (topics.size().topics > 1 && perigee::monotonic_ms() < end);
    CHECK(topics.size().topics <= 1);
  }
  SECTION("memory") {
    topics.apply({1000, 1'000'000'000, 20'000});
    for (int i = 0; i < 10'000; ++i) {
      topics.publish("topic " + std::to_string(i), message("x"));
      REQUIRE(topics.size().bytes <= 20'000);
    }
    CHECK(topics.size().topics < 40);
    topics.publish("topic 9999", message("y"));
    CHECK(text_of(reader.subscribe(topics, {"topic 9999"}, "").replay) == "x y");
    for (int i = 0; i < 1000; ++i) {
      topics.publish("one", message("x"));
      REQUIRE(topics.size().bytes <= 20'000);
    }
  }
}

TEST_CASE("topics: one that nobody uses is forgotten") {
  Reader reader;
  Topics topics;
  topics.apply({0, 0, 0});
  (void)reader.subscribe(topics, {"a", "b"});
  CHECK(topics.size().topics == 2);
  topics.unsubscribe(*reader.inbox, "a");
  topics.unsubscribe(*reader.inbox, "a");
  topics.join("c", "k", "1", message("join"));
  CHECK(topics.size().topics == 2);
  topics.leave("c", "k", message("leave"));
  topics.unsubscribe(*reader.inbox, "b");
  CHECK(topics.size().topics == 0);
}

TEST_CASE("topics: a member comes with its first connection and goes with its last") {
  Reader reader;
  Topics topics;
  (void)reader.subscribe(topics, {"t"});
  topics.join("t", "ada", R"("Ada")", message("join ada"));
  topics.join("t", "bob", R"("Bob")", message("join bob"));
  topics.join("t", "ada", R"("Ada, anew")", message("again"));
  CHECK(topics.members("t") == std::vector<std::string>{R"("Ada, anew")", R"("Bob")"});
  topics.leave("t", "ada", message("not yet"));
  topics.leave("t", "ada", message("leave ada"));
  topics.leave("t", "ada", message("gone already"));
  topics.leave("t", "eve", message("never came"));
  CHECK(reader.take() == "join ada join bob leave ada");
  CHECK(topics.members("t") == std::vector<std::string>{R"("Bob")"});
  CHECK(topics.members("u").empty());
}

TEST_CASE("topics: a name is short and has no control bytes") {
  using Fault = Topics::NameFault;
  CHECK(Topics::fault_of("room:7 ä") == Fault::kNone);
  CHECK(Topics::fault_of(std::string(255, 'x')) == Fault::kNone);
  CHECK(Topics::fault_of("") == Fault::kEmpty);
  CHECK(Topics::fault_of(std::string(256, 'x')) == Fault::kTooLong);
  CHECK(Topics::fault_of("a\nb") == Fault::kControl);
  CHECK(Topics::fault_of(std::string_view("a\0b", 3)) == Fault::kControl);
  CHECK(Topics::fault_of("a\x7f") == Fault::kControl);
  CHECK(Topics::control_in("room:7 ä") == std::nullopt);
  CHECK(Topics::control_in("a\nb\x7f") == 1U);
}

TEST_CASE("topics: with publishers on every thread each subscriber misses nothing and sees one order") {
  constexpr int kThreads = 4;
  constexpr int kMessages = 2000;
  Topics topics;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(std::make_unique<Reader>());
    (void)readers.back()->subscribe(topics, {"a", "b"});
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&topics, t] {
      for (int i = 0; i < kMessages; ++i) {
        topics.publish(i % 2 == 0 ? "a" : "b", message(std::to_string(t) + "." + std::to_string(i)));
      }
    });
  }
  // Meanwhile one comes and goes.
  Reader visitor;
  for (int i = 0; i < 200; ++i) {
    const auto joined = visitor.subscribe(topics, {"a"}, "");
    for (const auto& delivery : visitor.inbox->take().deliveries) {
      REQUIRE(delivery.message->data_text().find('.') != std::string_view::npos);
    }
    topics.unsubscribe(*visitor.inbox, "a");
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::string first;
  for (const auto& reader : readers) {
    std::uint64_t last = 0;
    std::string all;
    const auto batch = reader->inbox->take();
    REQUIRE(batch.deliveries.size() == kThreads * kMessages);
    for (const auto& delivery : batch.deliveries) {
      REQUIRE(delivery.message->stamp > last);
      last = delivery.message->stamp;
      all.append(delivery.message->data_text()).push_back(' ');
    }
    first = first.empty() ? all : first;
    CHECK((all == first));
  }
}
