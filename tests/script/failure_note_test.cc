#include "script/failure_note.h"

#include "vm_fixture.h"

using perigee::script::note_failure;
using perigee::script::sample_of;

TEST_CASE("failure note: a sample has the names of a query's parameters, and none of their values") {
  struct Case {
    const char* target;
    const char* sample;
  };
  const auto [target, sample] = GENERATE(values<Case>({
      {"/", "GET /"},
      {"/users/7", "GET /users/7"},
      {"/a%20b?token=secret", "GET /a%20b?token=*"},
      {"/?a=1&b=&c&&d=x=y", "GET /?a=*&b=*&c&&d=*"},
      {"/?", "GET /?"},
      {"/?=secret", "GET /?=*"},
      {"/?a=1&", "GET /?a=*"},
  }));
  LoadedVm loaded("app:get('/{rest*}', function() return 'x' end) app:get('/', function() return 'x' end)");
  const Request request(loaded, get(target, "Cookie: sid=secret\r\nAuthorization: Bearer secret\r\n"));
  CHECK(sample_of(request.exchange) == sample);
}

TEST_CASE("failure note: a failure in a request has its route, one outside has none") {
  LoadedVm loaded("app:get('/users/{id}', function() perigee.sleep(1) return 'x' end)");
  Request request(loaded, get("/users/7?q=1"));
  note_failure(*loaded.vm, request.exchange.task, "oops", "host.example");
  note_failure(*loaded.vm, nullptr, "outside");
  const auto kinds = loaded.host.desk.kinds();
  REQUIRE(kinds.size() == 2);
  const auto& inside = kinds[0].signature == "oops" ? kinds[0] : kinds[1];
  REQUIRE(inside.routes.size() == 1);
  CHECK(inside.routes[0].name == "GET /users/{id}");
  CHECK(inside.hosts.at(0).name == "host.example");
  CHECK(inside.sample == "GET /users/7?q=*");
  const auto& outside = kinds[0].signature == "oops" ? kinds[1] : kinds[0];
  CHECK(outside.routes.empty());
  CHECK(outside.sample.empty());
  request.complete();
}
