#include "vm_fixture.h"

namespace {

// The signatures at the desk after one request to an app with `code` in its handler.
std::vector<std::string> signatures_after(const std::string& code) {
  const EventLog log;
  LoadedVm loaded("app:get('/{id}', function(req) " + code + " end)");
  (void)answer_to(loaded, get("/7"));
  loaded.pass(10);
  std::vector<std::string> signatures;
  for (const auto& kind : loaded.host.desk.kinds()) {
    signatures.push_back(kind.signature);
  }
  return signatures;
}

std::string only(const std::vector<std::string>& signatures) {
  REQUIRE(signatures.size() == 1);
  return signatures[0].substr(signatures[0].rfind('/') + 1);
}

}  // namespace

TEST_CASE("core.uncaught: what nobody catches comes to the desk, wherever it is raised") {
  CHECK(only(signatures_after("error('no user ' .. req.params.id)")) == "app.lua:2: no user #");
  CHECK(signatures_after("return nil, 'no user ' .. req.params.id").at(0).starts_with("no user # (from the handler"));
  CHECK(only(signatures_after("perigee.spawn(error, 'task 1', 0) return 'x'")) == "task #");
  CHECK(only(signatures_after("perigee.defer(error, 'deferred 1', 0) return 'x'")) == "deferred #");
  CHECK(only(signatures_after("perigee.spawn(function() coroutine.yield() end) return 'x'"))
            .starts_with("attempt to yield outside a coroutine"));
}

TEST_CASE("core.uncaught: what is caught, answered or cancelled does not") {
  CHECK(signatures_after("pcall(error, 'x') return 'x'").empty());
  CHECK(signatures_after("error(perigee.problem(403, 'no'))").empty());
  CHECK(signatures_after("perigee.spawn(perigee.sleep, 1000):cancel() return 'x'").empty());
  CHECK(signatures_after("return select(2, perigee.spawn(error, 'x'):wait())").empty());
  CHECK(signatures_after("perigee.log.error('only logged') return 'x'").empty());
}

TEST_CASE("core.note_failure: a failed call is counted by its host and route") {
  LoadedVm loaded("app:get('/{id}', function() require('perigee.core').note_failure('db', 'timeout') return 'x' end)");
  CHECK(answer_to(loaded, get("/7")) == "200 x");
  const auto kinds = loaded.host.desk.kinds();
  REQUIRE(kinds.size() == 1);
  CHECK(kinds[0].hosts.at(0).name == "db");
  CHECK(kinds[0].routes.at(0).name == "GET /{id}");
}

TEST_CASE("perigee.errors: the desk as a table") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/fail', function() error('failed 1', 0) end)"
      "app:get('/', function() local e = perigee.errors()[1]"
      " return e.signature .. ' ' .. e.count .. ' ' .. e.routes['GET /fail'] .. ' ' .. e.sample end)");
  CHECK(answer_to(loaded, get("/fail?a=1")).starts_with("500"));
  CHECK(answer_to(loaded, get("/fail")).starts_with("500"));
  CHECK(answer_to(loaded, get("/")).starts_with("200 failed #"));
  CHECK(answer_to(loaded, get("/")).ends_with(" 2 2 GET /fail?a=*"));
}
