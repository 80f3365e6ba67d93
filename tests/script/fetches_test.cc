#include "script/fetches.h"

#include "vm_fixture.h"

using perigee::script::Fetches;
using perigee::script::Task;
using perigee::state::Flights;
using perigee::state::ValueKind;
using Outcome = perigee::script::Dispatcher::Outcome;

namespace {

constexpr const char* kWaiting = "app:get('/', function() perigee.sleep(9) return 'done' end)";

Flights::Result number(double value) {
  return {Flights::Landing::kValue, ValueKind::kNumber, value, "", ""};
}

}  // namespace

TEST_CASE("fetches: the first of two computes, the other is woken with its result") {
  LoadedVm loaded(kWaiting);
  Request first(loaded, get("/"), 1);
  Request second(loaded, get("/"), 2);
  Task& computing = *first.exchange.task;
  Task& waiting = *second.exchange.task;
  Flights flights;
  Fetches fetches(flights);
  CHECK(fetches.join(computing, "page") == Fetches::Role::kComputes);
  CHECK(fetches.join(computing, "page") == Fetches::Role::kComputesAlready);
  CHECK(fetches.join(waiting, "page") == Fetches::Role::kWaits);
  CHECK(fetches.join(waiting, "other") == Fetches::Role::kComputes);
  CHECK(fetches.take_result(waiting) == nullptr);
  fetches.land(waiting, "page", number(6));  // not its own
  CHECK(fetches.take_result(waiting) == nullptr);
  fetches.land(computing, "page", number(7));
  CHECK(loaded.vm->has_ready());
  const Flights::Shared result = fetches.take_result(waiting);
  REQUIRE(result != nullptr);
  CHECK(result->number == 7);
  CHECK(fetches.take_result(waiting) == nullptr);
  CHECK(flights.size() == 1);
}

TEST_CASE("fetches: who leaves abandons what it computes, and is told nothing any more") {
  LoadedVm loaded(kWaiting);
  Request first(loaded, get("/"), 1);
  Request second(loaded, get("/"), 2);
  Request third(loaded, get("/"), 3);
  Flights flights;
  Fetches fetches(flights);
  REQUIRE(fetches.join(*first.exchange.task, "page") == Fetches::Role::kComputes);
  REQUIRE(fetches.join(*second.exchange.task, "page") == Fetches::Role::kWaits);
  REQUIRE(fetches.join(*third.exchange.task, "page") == Fetches::Role::kWaits);
  fetches.leave(*third.exchange.task);
  fetches.leave(*first.exchange.task);
  CHECK(flights.size() == 0);
  const Flights::Shared result = fetches.take_result(*second.exchange.task);
  REQUIRE(result != nullptr);
  CHECK(result->landing == Flights::Landing::kAbandoned);
  CHECK(fetches.take_result(*third.exchange.task) == nullptr);
}

TEST_CASE("fetches: with the VM everything of its tasks is given up") {
  LoadedVm loaded(kWaiting);
  Request first(loaded, get("/"), 1);
  Request second(loaded, get("/"), 2);
  Flights flights;
  Fetches staying(flights);
  {
    Fetches going(flights);
    REQUIRE(going.join(*first.exchange.task, "page") == Fetches::Role::kComputes);
    REQUIRE(staying.join(*second.exchange.task, "page") == Fetches::Role::kWaits);
  }
  CHECK(flights.size() == 0);
  const Flights::Shared result = staying.take_result(*second.exchange.task);
  REQUIRE(result != nullptr);
  CHECK(result->landing == Flights::Landing::kAbandoned);
}
