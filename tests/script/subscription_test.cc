#include "script/subscription.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "script/topic_frame.h"
#include "vm_fixture.h"

using perigee::script::Subscription;

namespace {

perigee::state::SharedMessage message(std::string_view data) {
  perigee::script::TopicDraft draft;
  draft.data = data;
  return perigee::script::frame_message(draft);
}

std::string taken(Subscription& subscription) {
  std::string text;
  while (const auto next = subscription.take()) {
    text.append(next->data_text()).push_back(' ');
  }
  return text;
}

}  // namespace

TEST_CASE("subscription: messages are taken in order, over the bound the oldest are dropped and counted") {
  LoadedVm loaded("");
  Subscription subscription(*loaded.vm, "t", 3);
  CHECK(loaded.host.listeners.count("t") == 1);
  for (const char* data : {"a", "b"}) {
    subscription.on_message(message(data));
  }
  CHECK(taken(subscription) == "a b ");
  for (const char* data : {"c", "d", "e", "f", "g"}) {
    subscription.on_message(message(data));
  }
  CHECK(taken(subscription) == "e f g ");
  subscription.on_missed();
  CHECK(subscription.take_missed() == 3);
  CHECK(subscription.take_missed() == 0);
}

TEST_CASE("subscription: it listens until it is closed or gone") {
  LoadedVm loaded("");
  {
    Subscription subscription(*loaded.vm, "t", 3);
    Subscription other(*loaded.vm, "t", 3);
    subscription.on_message(message("a"));
    subscription.close();
    subscription.close();
    CHECK(taken(subscription).empty());
    CHECK(loaded.host.listeners.count("t") == 1);
  }
  CHECK(loaded.host.listeners.empty());
}

TEST_CASE("subscription: a message wakes the task that waits, once, and no task that serves another by then") {
  LoadedVm loaded(R"(app:get("/", function()
    local core = require "perigee.core"
    local source = core.listen("t")
    core.await_message(source)
    perigee.sleep(5)
    local message = core.take_message(source)
    return message and message.data or "nothing"
  end))");
  Request request(loaded, get("/"));
  REQUIRE(request.outcome == Request::Outcome::kWaiting);
  loaded.host.listeners.find("t")->second->on_message(message("woken"));
  loaded.run_ready();
  CHECK(request.settle() == Request::Outcome::kAnswered);
  CHECK(request.body() == "woken");
}
