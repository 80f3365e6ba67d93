#include "script/dispatcher.h"

#include <algorithm>

#include "vm_fixture.h"

using perigee::LogLevel;
using perigee::script::CancelReason;
using Outcome = perigee::script::Dispatcher::Outcome;

TEST_CASE("dispatcher: a handler that raises is a 500, its error logged with traceback and request id") {
  const EventLog log;
  LoadedVm loaded(
      "local function deep() error('oops') end\n"
      "app:get('/', function() deep() end)");
  CHECK(answer_to(loaded, get("/")).starts_with("500 "));
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].level == LogLevel::kError);
  CHECK(log.events[0].request_id == "id-1");
  const std::string& text = log.events[0].message;
  CHECK(text.starts_with(loaded.scratch.path("app.lua") + ":2: oops\nstack traceback:"));
  CHECK(text.find("in function 'deep'") != std::string::npos);
  CHECK(text.find("app.lua:3: in function") != std::string::npos);
}

TEST_CASE("dispatcher: errors of any type are a 500 and logged as well as they can be") {
  const auto [raise, logged] = GENERATE(table<std::string, std::string>({
      {"error('text', 0)", "text"},
      {"error()", "nil"},
      {"error(nil)", "nil"},
      {"error(42)", "42"},
      {"error({ code = 7 })", "a table: {\"code\":7}"},
      {"error({ print })", "table: 0x"},
      {"error(setmetatable({}, { __tostring = function() return 'shown' end }))", "shown"},
      {"error(setmetatable({}, { __tostring = function() error('no') end }))", "an error that can't be shown"},
      {"local x = nil; return x.y", "attempt to index local 'x' (a nil value)"},
      {"local function f() return f() + 1 end return f()", "stack overflow"},
  }));
  const EventLog log;
  LoadedVm loaded("app:get('/', function() " + raise + " end)");
  INFO(raise);
  CHECK(answer_to(loaded, get("/")).starts_with("500 "));
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.find(logged) != std::string::npos);
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("dispatcher: a problem that is thrown from any depth is the answer, and no error") {
  const auto [code, status] = GENERATE(table<std::string, std::string>({
      {"error(perigee.problem(403, 'no'))", "403"},
      {"(function() error(perigee.problem(409)) end)()", "409"},
      {"table.sort({ 1, 2, 3 }, function() error(perigee.problem(418)) end)", "418"},
      {"coroutine.wrap(function() error(perigee.problem(402)) end)()", "402"},
      {"perigee.sleep(1) error(perigee.problem(410))", "410"},
      {"error(perigee.text('fine'))", "200"},
      {"assert(false, perigee.problem(451))", "451"},
  }));
  const EventLog log;
  LoadedVm loaded("app:get('/', function() " + code + " end)");
  CHECK(answer_to(loaded, get("/")).starts_with(status + " "));
  CHECK(log.events.empty());
}

TEST_CASE("dispatcher: a task whose handler raised serves the next request") {
  const EventLog log;
  LoadedVm loaded(
      "local n = 0\n"
      "app:get('/', function() n = n + 1 if n % 2 == 1 then error('odd') end return 'even ' .. n end)");
  for (int i = 1; i <= 10; ++i) {
    CHECK(answer_to(loaded, get("/")).starts_with(i % 2 == 1 ? "500 " : "200 even " + std::to_string(i)));
  }
  CHECK(log.events.size() == 5);
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("dispatcher: a yield of the handler's own is an error that says so, and the next request is served") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/', function() coroutine.yield(1) return 'never' end)\n"
      "app:get('/fine', function() return 'fine' end)");
  CHECK(answer_to(loaded, get("/")).starts_with("500 "));
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.starts_with("attempt to yield outside a coroutine of the program's own"));
  CHECK(answer_to(loaded, get("/fine")) == "200 fine");
}

TEST_CASE("dispatcher: app:error renders problems of any origin") {
  const EventLog log;
  LoadedVm loaded(
      "app:error(function(problem, req, err)\n"
      "  return problem.status .. ' ' .. req.path .. ' ' .. tostring(err) .. ' ' .. problem.request_id end)\n"
      "app:get('/returned', function() return perigee.problem(409) end)\n"
      "app:get('/status', function() return 404 end)\n"
      "app:get('/thrown', function() error(perigee.problem(403)) end)\n"
      "app:get('/raised', function() error('oops', 0) end)\n"
      "app:get('/fine', function() return 404, 'mine' end)");
  CHECK(answer_to(loaded, get("/returned")) == "409 409 /returned nil id-1");
  CHECK(answer_to(loaded, get("/status")) == "404 404 /status nil id-1");
  CHECK(answer_to(loaded, get("/thrown")) == "403 403 /thrown nil id-1");
  CHECK(answer_to(loaded, get("/raised")) == "500 500 /raised oops id-1");
  CHECK(answer_to(loaded, get("/fine")) == "404 mine");
}

TEST_CASE("dispatcher: an app:error that returns nothing or fails leaves the problem as it was") {
  const EventLog log;
  LoadedVm nothing("app:error(function() end) app:get('/', function() return perigee.problem(409, 'taken') end)");
  CHECK(answer_to(nothing, get("/")).find("\"detail\":\"taken\"") != std::string::npos);
  CHECK(log.events.empty());
  LoadedVm failing(
      "app:error(function() error('worse') end) app:get('/', function() return perigee.problem(418, 'tea') end)");
  const std::string answer = answer_to(failing, get("/"));
  CHECK(answer.starts_with("418 {"));
  CHECK(answer.find("\"detail\":\"tea\"") != std::string::npos);
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.find("worse") != std::string::npos);
  CHECK(failing.vm->busy_tasks() == 0);
}

TEST_CASE("dispatcher: a refusal is answered by app:not_found, app:error or as a problem") {
  const auto refused = [](LoadedVm& loaded, const perigee::script::Refusal& refusal) {
    perigee::script::Exchange exchange;
    const std::string bytes = get("/nowhere");
    REQUIRE(exchange.scanner.scan(bytes.data(), bytes.size(), {}, exchange.head) ==
            perigee::http::HeadScanner::Verdict::kComplete);
    exchange.id = 9;
    exchange.publish();
    REQUIRE(loaded.dispatcher.refuse(exchange, refusal) == Outcome::kAnswered);
    const std::string text = std::to_string(exchange.answer.status) + " " + std::string(exchange.answer.fields.view()) +
                             std::string(exchange.answer.body);
    CHECK(loaded.dispatcher.finish(exchange) == Outcome::kDone);
    return text;
  };
  LoadedVm hooked("app:not_found(function(req) return 404, 'no ' .. req.path end)");
  CHECK(refused(hooked, {404, "no route", {}, {}, {}, {}}) == "404 no /nowhere");
  const std::string method = refused(hooked, {405, "not this method", "GET, HEAD", {}, {}, {}});
  CHECK(method.starts_with("405 allow: GET, HEAD\r\n{"));
  CHECK(method.find(R"("detail":"not this method")") != std::string::npos);
  const std::string parameter = refused(hooked, {400, "bad", {}, "id", "an integer", "x"});
  CHECK(parameter.find(R"("in":"path")") != std::string::npos);
  CHECK(parameter.find(R"("expected":"an integer")") != std::string::npos);
  LoadedVm rendered("app:error(function(problem) return 'rendered ' .. problem.status end)");
  CHECK(refused(rendered, {404, "no route", {}, {}, {}, {}}) == "404 rendered 404");
}

TEST_CASE("dispatcher: answer_problem answers without a VM") {
  perigee::script::Exchange exchange;
  exchange.answer.fields.append("X: y\r\n");
  perigee::script::Dispatcher::answer_problem(exchange, 503, "busy", "id-3");
  CHECK(exchange.answer.status == 503);
  CHECK(exchange.answer.content_type == "application/problem+json");
  CHECK(exchange.answer.body == R"({"title":"Service Unavailable","status":503,"detail":"busy","request_id":"id-3"})");
  CHECK(exchange.answer.fields.empty());
}

TEST_CASE("dispatcher: a cancelled handler's next wait raises the reason, and the answer tells why") {
  const auto [reason, text, status] = GENERATE(table<CancelReason, std::string, std::string>({
      {CancelReason::kClientGone, "cancelled: the client has gone", "503"},
      {CancelReason::kTimeLimit, "cancelled: over the time limit", "503"},
      {CancelReason::kDraining, "cancelled: the server or this version of the app is ending", "503"},
      {CancelReason::kRequested, "cancelled", "500"},
  }));
  const EventLog log;
  LoadedVm loaded(
      "seen = {}\n"
      "app:get('/', function()\n"
      "  local ok, err = pcall(perigee.sleep, 1000)\n"
      "  perigee.log.info(tostring(err))\n"
      "  perigee.sleep(1000) end)");
  Request request(loaded, get("/"));
  REQUIRE(request.outcome == Outcome::kWaiting);
  loaded.vm->cancel(*request.exchange.task, reason);
  loaded.run_ready();
  REQUIRE(request.settle() == Outcome::kAnswered);
  CHECK(std::to_string(request.status()) == status);
  REQUIRE_FALSE(log.events.empty());
  CHECK(log.events[0].message == text);
  // What a client that has gone leaves behind is nobody's error.
  CHECK(log.events.size() == (reason == CancelReason::kClientGone ? 1 : 2));
}

TEST_CASE("dispatcher: start and stop hooks run in order, may wait, and end with the first error") {
  LoadedVm loaded(
      "order = {}\n"
      "app:start(function() perigee.sleep(5) order[#order + 1] = 'a' end)\n"
      "app:start(function() order[#order + 1] = 'b' end)\n"
      "app:stop(function() order[#order + 1] = 'c' end)\n"
      "app:stop(function() error('broken stop') end)\n"
      "app:stop(function() order[#order + 1] = 'never' end)\n"
      "app:get('/', function() return table.concat(order) end)");
  std::vector<std::string> ends;
  loaded.dispatcher.run_hooks("start", [&ends](const std::string& error) { ends.push_back(error); });
  CHECK(ends.empty());
  CHECK(answer_to(loaded, get("/")) == "200 ");
  loaded.pass(6);
  CHECK(ends == std::vector<std::string>{""});
  CHECK(answer_to(loaded, get("/")) == "200 ab");
  loaded.dispatcher.run_hooks("stop", [&ends](const std::string& error) { ends.push_back(error); });
  REQUIRE(ends.size() == 2);
  CHECK(ends[1].find("broken stop") != std::string::npos);
  CHECK(ends[1].find("stack traceback:") != std::string::npos);
  CHECK(answer_to(loaded, get("/")) == "200 abc");
  loaded.run_ready();
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("dispatcher: after hooks see request and response, may wait, and fail on their own") {
  const EventLog log;
  LoadedVm loaded(
      "app:after(function(req, res)\n"
      "  perigee.sleep(1)\n"
      "  perigee.log.info(req.path .. ' ' .. res.status .. ' ' .. res.body .. ' ' .. res.headers['x-a']) end)\n"
      "app:after(function() error('broken after') end)\n"
      "app:after(function() perigee.log.info('last') end)\n"
      "app:get('/p', function() return 201, 'made', { ['x-a'] = 'b' } end)");
  Request request(loaded, get("/p"));
  REQUIRE(request.outcome == Outcome::kAnswered);
  CHECK(request.body() == "made");
  CHECK(log.events.empty());
  request.exchange.own_head();
  REQUIRE(loaded.dispatcher.finish(request.exchange) == Outcome::kWaiting);
  loaded.pass(2);
  CHECK(loaded.last == Outcome::kDone);
  request.exchange.task = nullptr;
  REQUIRE(log.events.size() == 3);
  CHECK(log.events[0].message == "/p 201 made b");
  CHECK(log.events[0].request_id == "id-1");
  CHECK(log.events[1].message.find("broken after") != std::string::npos);
  CHECK(log.events[2].message == "last");
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("dispatcher: a task's coroutine and the library's tables do not grow with the requests") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/text', function() return 'text' end)\n"
      "app:get('/json/{n:integer}', function(req) return { n = req.params.n, q = req.query.q } end)\n"
      "app:get('/error', function() error('oops') end)\n"
      "app:get('/defer', function() perigee.defer(function() end) return 'd' end)\n"
      "app:get('/wait', function() perigee.sleep(0) return perigee.spawn(function() return 'w' end):wait() end)");
  const std::vector<std::string> targets = {"/text", "/json/7?q=x%20y", "/error", "/defer", "/wait"};
  const auto measure = [&] {
    lua_gc(loaded.vm->state(), LUA_GCCOLLECT, 0);
    lua_gc(loaded.vm->state(), LUA_GCCOLLECT, 0);
    return loaded.vm->heap_bytes();
  };
  const auto registry = [&] {
    std::size_t size = 0;
    loaded.in_lua([&size](lua_State* state) { size = lua_objlen(state, LUA_REGISTRYINDEX); });
    return size;
  };
  for (std::size_t i = 0; i < 1000; ++i) {
    (void)answer_to(loaded, get(targets[i % targets.size()]));
  }
  const std::size_t heap_before = measure();
  const std::size_t registry_before = registry();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    const std::string answer = answer_to(loaded, get(targets[i % targets.size()]));
    wrong += answer.starts_with(i % targets.size() == 2 ? "500 " : "200 ") ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(loaded.vm->busy_tasks() == 0);
  CHECK_FALSE(loaded.vm->has_ready());
  // A leak of one object for each request of one kind would be 2,000 times 16 bytes; the compiler's own traces may
  // come late.
  CHECK(measure() < heap_before + 16'384);
  CHECK(registry() <= registry_before + 2);
  CHECK(log.events.size() == 2200);
}
