#include "script/origin.h"

#include "script/failure_note.h"
#include "vm_fixture.h"

using perigee::script::note_failure;
using perigee::script::origin_for;
using perigee::script::outgoing_state;
using perigee::script::outgoing_trace;
using perigee::script::sample_of;

namespace {

constexpr const char* kTrace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
constexpr const char* kWaits = "app:get('/users/{id}', function() perigee.sleep(1) return 'x' end)";

}  // namespace

TEST_CASE("origin: the tasks of a request share its route, its sample and its trace") {
  LoadedVm loaded(kWaits);
  Request request(loaded, get("/users/7?token=secret", std::string(kTrace) + "tracestate: vendor=1\r\n"));
  const auto origin = origin_for(request.exchange.task);
  REQUIRE(origin != nullptr);
  CHECK(route_of(*loaded.vm, *origin) == "GET /users/{id}");
  CHECK(sample_of(origin->method, origin->target) == "GET /users/7?token=*");
  CHECK(origin->traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  CHECK(origin->tracestate == "vendor=1");
  CHECK(origin_for(request.exchange.task) == origin);
  request.complete();
}

TEST_CASE("origin: a task that outlives its request keeps the trace, with spans of its own, and the route") {
  LoadedVm loaded(kWaits);
  Request request(loaded, get("/users/7", kTrace));
  perigee::script::Task task(*loaded.vm);
  task.origin = origin_for(request.exchange.task);
  request.complete();
  const std::string first = outgoing_trace(&task);
  CHECK(first.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  CHECK(first.ends_with("-01"));
  CHECK(first != outgoing_trace(&task));
  CHECK(outgoing_state(&task).empty());
  CHECK(origin_for(&task) == task.origin);
  note_failure(*loaded.vm, &task, "oops");
  REQUIRE(loaded.host.desk.kinds().size() == 1);
  CHECK(loaded.host.desk.kinds()[0].routes.at(0).name == "GET /users/{id}");
}

TEST_CASE("origin: without a request, or a trace that is one, there is nothing to send") {
  LoadedVm loaded(kWaits);
  CHECK(origin_for(nullptr) == nullptr);
  CHECK(outgoing_trace(nullptr).empty());
  Request request(loaded, get("/users/7", "traceparent: nonsense\r\ntracestate: vendor=1\r\n"));
  CHECK(outgoing_trace(request.exchange.task).empty());
  CHECK(origin_for(request.exchange.task)->traceparent.empty());
  CHECK(origin_for(request.exchange.task)->tracestate.empty());
  request.complete();
}
