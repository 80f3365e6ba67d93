#include "vm_fixture.h"

using perigee::LogLevel;

TEST_CASE("log: an event has its level, its fields as JSON, and the id of the request it belongs to") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/', function()\n"
      "  perigee.log.warn('first', { n = 1 }) perigee.log.debug('second') perigee.log.error('third', {}) print('a', 1, "
      "nil)\n"
      "  perigee.spawn(function() perigee.log.info('spawned') end) return 'x' end)\n"
      "perigee.log.info('loading')");
  CHECK(answer_to(loaded, get("/")) == "200 x");
  loaded.run_ready();
  const auto expect = [&log](std::size_t at, LogLevel level, const char* message, const char* fields, const char* id) {
    REQUIRE(log.events.size() > at);
    CHECK(log.events[at].level == level);
    CHECK(log.events[at].message == message);
    CHECK(log.events[at].fields == fields);
    CHECK(log.events[at].request_id == id);
  };
  expect(0, LogLevel::kInfo, "loading", "", "");
  expect(1, LogLevel::kWarn, "first", R"({"n":1})", "id-1");
  expect(2, LogLevel::kDebug, "second", "", "id-1");
  expect(3, LogLevel::kError, "third", "", "id-1");
  expect(4, LogLevel::kInfo, "a\t1\tnil", "", "id-1");
  expect(5, LogLevel::kInfo, "spawned", "", "");
  CHECK(log.events.size() == 6);
}

TEST_CASE("log: below the sink's level nothing is written, nor its fields encoded") {
  const EventLog log(LogLevel::kWarn);
  LoadedVm loaded(
      "app:get('/', function() perigee.log.info('no', { f = print }) print('no') perigee.log.warn('yes') return 'x' "
      "end)");
  CHECK(answer_to(loaded, get("/")) == "200 x");
  CHECK(log.text() == "yes\n");
}

TEST_CASE("core.equal: strings are the same or not, whatever their lengths") {
  const auto [a, b, same] = GENERATE(table<std::string, std::string, std::string>({
      {"''", "''", "true"},
      {"'a'", "'a'", "true"},
      {"'a'", "'b'", "false"},
      {"''", "'a'", "false"},
      {"'a'", "''", "false"},
      {"'aa'", "'a'", "false"},
      {"'a'", "'aa'", "false"},
      {"'a\\0b'", "'a\\0c'", "false"},
      {"('x'):rep(1000)", "('x'):rep(1000)", "true"},
  }));
  LoadedVm loaded("app:get('/', function() return tostring(require('perigee.core').equal(" + a + ", " + b + ")) end)");
  CHECK(answer_to(loaded, get("/")) == "200 " + same);
}

TEST_CASE("core.reason: a status has its phrase") {
  LoadedVm loaded("app:get('/', function() return require('perigee.core').reason(418) end)");
  CHECK(answer_to(loaded, get("/")).starts_with("200 "));
}

TEST_CASE("core.load_library: a library that is not there is nil and why, as package.loadlib has it") {
  LoadedVm loaded(
      "app:get('/', function() local f, err, where = package.loadlib('/nowhere.so', 'open')\n"
      "  return tostring(f) .. ' ' .. where .. ' ' .. err end)");
  CHECK(answer_to(loaded, get("/")).starts_with("200 nil open /nowhere.so: "));
}
