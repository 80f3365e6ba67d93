#include "vm_fixture.h"

using Outcome = perigee::script::Dispatcher::Outcome;

namespace {

// What a handler with `code` in it answers, time passing as it needs.
std::string run(const std::string& code) {
  LoadedVm loaded("app:get('/', function(req) " + code + " end)");
  const std::string answer = answer_to(loaded, get("/"));
  loaded.pass(100);
  CHECK(loaded.vm->busy_tasks() == 0);
  return answer;
}

}  // namespace

TEST_CASE("perigee.sleep: the handler goes on when the time has passed, not before") {
  LoadedVm loaded("app:get('/', function() perigee.sleep(2.5) return 'awake' end)");
  Request request(loaded, get("/"));
  REQUIRE(request.outcome == Outcome::kWaiting);
  loaded.run_ready();
  loaded.pass(2);
  CHECK(request.settle() == Outcome::kWaiting);
  loaded.pass(1);
  REQUIRE(request.settle() == Outcome::kAnswered);
  CHECK(request.body() == "awake");
}

TEST_CASE("perigee.sleep: of nothing it lets others run, and needs no time") {
  LoadedVm loaded(
      "order = ''\n"
      "app:get('/{name}', function(req)\n"
      "  for i = 1, 2 do order = order .. req.params.name perigee.sleep(0) end return order end)");
  Request first(loaded, get("/a"));
  Request second(loaded, get("/b"), 2);
  loaded.run_ready();
  CHECK(answer_to(loaded, get("/c")) == "200 ababcc");
}

TEST_CASE("perigee.sleep: what is no time raises") {
  CHECK(run("return select(2, pcall(perigee.sleep, -1))") ==
        "200 bad argument #1 to 'sleep' (a number of seconds, 0 or more, expected)");
  CHECK(run("return select(2, pcall(perigee.sleep, 0/0))").starts_with("200 bad argument"));
  CHECK(run("return select(2, pcall(perigee.sleep, '1'))").starts_with("200 bad argument"));
}

TEST_CASE("waiting: it passes through pcall, iterators, metamethods and the program's coroutines") {
  const std::string code = GENERATE(values<std::string>({
      "pcall(perigee.sleep, 1) return 'done'",
      "xpcall(function() perigee.sleep(1) end, print) return 'done'",
      "for _ in function(_, i) perigee.sleep(1) return not i or nil end do end return 'done'",
      "local t = setmetatable({}, { __index = function() perigee.sleep(1) return 'done' end }) return t.x",
      "local co = coroutine.create(function() perigee.sleep(1) return 'done' end)"
      " return select(2, coroutine.resume(co))",
      "return coroutine.wrap(function() return coroutine.wrap(function() perigee.sleep(1) return 'done' end)() end)()",
  }));
  CHECK(run(code) == "200 done");
}

TEST_CASE("waiting: through a C function that calls back it raises and says which kind") {
  const auto code = GENERATE(values<std::string>({
      "table.sort({ 2, 1 }, function() perigee.sleep(1) end)",
      "string.gsub('a', 'a', function() perigee.sleep(1) end)",
  }));
  LoadedVm loaded("app:get('/', function() " + code + " end)");
  const EventLog log;
  CHECK(answer_to(loaded, get("/")).starts_with("500 "));
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.find("perigee.sleep can't wait here: a C function is calling back") != std::string::npos);
  loaded.pass(10);
  CHECK_FALSE(loaded.vm->has_ready());
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("perigee.spawn: the task runs after its maker waits, and gives back what it returned") {
  CHECK(run("local seen = 'no' local task = perigee.spawn(function(a, b) seen = 'yes' return a + b end, 1, 2)"
            " local before = seen return before .. seen .. task:wait() .. seen") == "200 nono3yes");
  CHECK(run("local a, b, c, d = perigee.spawn(function() return 1, nil, 3, nil end):wait()"
            " return tostring(a) .. tostring(b) .. c .. tostring(d)") == "200 1nil3nil");
  CHECK(run("local task = perigee.spawn(function() perigee.sleep(3) return 'late' end) return task:wait()") ==
        "200 late");
}

TEST_CASE("perigee.spawn: a task that raises gives nil and the error, logged only where nobody waits") {
  const EventLog log;
  CHECK(run("local v, err = perigee.spawn(function() error('oops', 0) end):wait() return tostring(v) .. "
            "err:match('^%a+')") == "200 niloops");
  CHECK(log.events.empty());
  CHECK(run("perigee.spawn(function() error('alone', 0) end) return 'on'") == "200 on");
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.starts_with("uncaught error in a spawned task: alone\nstack traceback:"));
}

TEST_CASE("perigee.spawn: a task outlives its request") {
  LoadedVm loaded(
      "left = 'nothing'\n"
      "app:get('/', function() perigee.spawn(function() perigee.sleep(2) left = 'done' end) return left end)");
  CHECK(answer_to(loaded, get("/")) == "200 nothing");
  CHECK(loaded.vm->busy_tasks() == 1);
  loaded.run_ready();
  loaded.pass(3);
  CHECK(loaded.vm->busy_tasks() == 0);
  CHECK(answer_to(loaded, get("/")) == "200 done");
}

TEST_CASE("task:wait: it ends with the task, or with its timeout") {
  CHECK(run("local task = perigee.spawn(function() perigee.sleep(5) return 'v' end)"
            " local v, err = task:wait(0) return tostring(v) .. err .. task:wait(60)") == "200 niltimeoutv");
  CHECK(run("local task = perigee.spawn(function() return 'v' end) perigee.sleep(1) return task:wait(0)") == "200 v");
  LoadedVm loaded(
      "app:get('/', function() local task = perigee.spawn(function() perigee.sleep(1000) end)\n"
      "  local v, err = task:wait(0.005) task:cancel() return tostring(v) .. err end)");
  Request request(loaded, get("/"));
  loaded.run_ready();
  while (request.settle() == Outcome::kWaiting) {
    loaded.pass(0);
  }
  CHECK(request.body() == "niltimeout");
  loaded.run_ready();
  CHECK(loaded.vm->busy_tasks() == 1);  // the request's own
}

TEST_CASE("task:wait: several wait for one") {
  CHECK(run("local slow = perigee.spawn(function() perigee.sleep(2) return 's' end)"
            " local a = perigee.spawn(function() return slow:wait() .. 'a' end)"
            " local b = perigee.spawn(function() return slow:wait() .. 'b' end)"
            " return a:wait() .. b:wait()") == "200 sasb");
}

TEST_CASE("task:cancel: a waiting task's wait raises, one that has not begun does not begin, one that ended stays") {
  const EventLog log;
  CHECK(run("local task = perigee.spawn(function() perigee.sleep(1000) return 'never' end)"
            " perigee.sleep(0) task:cancel() local v, err = task:wait() return tostring(v) .. err:match('^%a+')") ==
        "200 nilcancelled");
  CHECK(run("local ran = 'no' local task = perigee.spawn(function() ran = 'yes' end)"
            " task:cancel() local v, err = task:wait() return ran .. tostring(v) .. err") == "200 nonilcancelled");
  CHECK(run("local task = perigee.spawn(function() return 'v' end) perigee.sleep(0) task:cancel()"
            " return task:wait()") == "200 v");
  CHECK(run("local task = perigee.spawn(function() pcall(perigee.sleep, 1000) perigee.sleep(1000) end)"
            " perigee.sleep(0) task:cancel() return select(2, task:wait()):match('^%a+')") == "200 cancelled");
  CHECK(log.events.empty());
}

TEST_CASE("perigee.defer: the last deferred runs first, once the request is over, however it ends") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/{how}', function(req)\n"
      "  perigee.defer(function(a, b) perigee.log.info('first ' .. tostring(a) .. tostring(b)) end, nil, 2)\n"
      "  perigee.defer(function() error('broken', 0) end)\n"
      "  perigee.defer(function() perigee.sleep(1) perigee.log.info('last') end)\n"
      "  if req.params.how == 'error' then error('oops', 0) end\n"
      "  perigee.log.info('handler') return 'x' end)");
  {
    const Request request(loaded, get("/well"));
    CHECK(log.text() == "handler\n");
  }
  loaded.run_ready();
  loaded.pass(2);
  CHECK(log.text().starts_with("handler\nlast\nerror in a deferred function: broken\n"));
  CHECK(log.text().ends_with("first nil2\n"));
  CHECK(answer_to(loaded, get("/error")).starts_with("500 "));
  loaded.run_ready();
  loaded.pass(2);
  CHECK(log.text().ends_with("first nil2\n"));
  CHECK(log.events.size() == 8);
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("perigee.defer: in a spawned task it runs at that task's end") {
  const EventLog log;
  CHECK(run("perigee.spawn(function() perigee.defer(perigee.log.info, 'deferred') perigee.log.info('body') end):wait()"
            " perigee.sleep(0) perigee.log.info('handler') return 'x'") == "200 x");
  CHECK(log.text() == "body\ndeferred\nhandler\n");
}

TEST_CASE("core.operate: the operations of the server are begun by name, others raise") {
  LoadedVm loaded(
      "local core = require 'perigee.core' local tasks = require 'perigee.tasks'\n"
      "app:get('/{name}', function(req) core.operate(req.params.name) tasks.suspend('it') return core.result() end)");
  const EventLog log;
  CHECK(answer_to(loaded, get("/unknown")).starts_with("500 "));
  CHECK(log.text().find("the server has no operation 'unknown' here") != std::string::npos);
  Request request(loaded, get("/known"));
  REQUIRE(request.outcome == Outcome::kWaiting);
  REQUIRE(loaded.host.operating == request.exchange.task);
  loaded.host.operating->result = "its result";
  loaded.vm->make_ready(*loaded.host.operating);
  loaded.run_ready();
  REQUIRE(request.settle() == Outcome::kAnswered);
  CHECK(request.body() == "its result");
}

TEST_CASE("perigee.now and monotonic: both count seconds") {
  CHECK(run("return tostring(perigee.now() > 1.6e9 and perigee.monotonic() > 0)") == "200 true");
}

TEST_CASE("perigee.shield: a cancelled task goes on waiting within, and raises at the wait after it") {
  LoadedVm loaded(
      "app:get('/', function() perigee.shield(perigee.sleep, 5) shielded = 'done' perigee.sleep(0) return 'no' end)"
      "app:get('/seen', function() return shielded or 'not yet' end)");
  Request request(loaded, get("/"));
  REQUIRE(request.outcome == Outcome::kWaiting);
  loaded.vm->cancel(*request.exchange.task, perigee::script::CancelReason::kClientGone);
  CHECK_FALSE(loaded.vm->has_ready());
  CHECK(answer_to(loaded, get("/seen")) == "200 not yet");
  loaded.pass(10);
  CHECK(answer_to(loaded, get("/seen")) == "200 done");
  CHECK(request.exchange.answer.status == 503);
}

TEST_CASE("timers: they end when their VM retires, and no new ones begin") {
  LoadedVm loaded(
      "app:get('/', function() perigee.every(1000, print) perigee.cron('0 0 1 1 *', print) return 'x' end)");
  CHECK(answer_to(loaded, get("/")) == "200 x");
  loaded.run_ready();
  CHECK(loaded.vm->busy_tasks() == 2);
  loaded.vm->retire();
  loaded.run_ready();
  CHECK(loaded.vm->busy_tasks() == 0);
  CHECK(answer_to(loaded, get("/")) == "200 x");
  loaded.run_ready();
  CHECK(loaded.vm->busy_tasks() == 0);
}
