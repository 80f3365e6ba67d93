#include "script/governor.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/watchdog.h"
#include "vm_fixture.h"

using Outcome = Request::Outcome;
using perigee::Watchdog;

namespace {

perigee::script::VmSettings short_time() {
  perigee::script::VmSettings settings;
  settings.limits.cpu = 60'000'000;
  settings.limits.load = settings.limits.load_left = 100'000'000;
  return settings;
}

// A VM whose tasks may compute for 60 ms, and somebody who sees to it.
struct Governed {
  explicit Governed(const std::string& app) : loaded(app, short_time()) {}

  Watchdog watchdog;
  Watchdog::Watch watch{watchdog, Watchdog::Clock::kProcessor};
  EventLog log;
  LoadedVm loaded;
};

constexpr const char* kSpin = "local function spin() while true do end end\n";

bool is_503(const std::string& answer) {
  return answer.starts_with("503 ") && answer.find("over its CPU limit") != std::string::npos;
}

}  // namespace

TEST_CASE("governor: a handler over its CPU limit is a 503, with its traceback and request in the log") {
  Governed vm("app:get('/spin', function()\n while true do end end) app:get('/fine', function() return 'fine' end)");
  CHECK(is_503(answer_to(vm.loaded, get("/spin"))));
  REQUIRE(vm.log.events.size() == 1);
  CHECK(vm.log.events[0].message.find("app.lua:3: over its CPU limit of 0.06 s\nstack traceback:") !=
        std::string::npos);
  CHECK(vm.log.events[0].request_id == "id-1");
  CHECK(vm.log.events[0].fields == R"({"request":"GET /spin"})");
  CHECK(answer_to(vm.loaded, get("/fine")) == "200 fine");
  CHECK(vm.loaded.vm->busy_tasks() == 0);
}

TEST_CASE("governor: nothing that catches errors keeps a handler going") {
  const auto* body =
      GENERATE("while true do pcall(spin) end", "while true do pcall(pcall, pcall, spin) end",
               "while true do xpcall(spin, spin) end", "while true do pcall(coroutine.wrap(spin)) end",
               "while true do coroutine.resume(coroutine.create(spin)) end", "while true do ('x'):gsub('x', spin) end",
               "table.sort({ 3, 2, 1 }, spin)", "return tostring(setmetatable({}, { __tostring = spin }))",
               "return setmetatable({}, { __index = function() spin() end }).field",
               "error(setmetatable({}, { __tostring = spin }))", "require('perigee').shared('x'):update('key', spin)",
               "local p = newproxy(true) getmetatable(p).__gc = spin p = nil collectgarbage()");
  CAPTURE(body);
  for (const std::string mode : {"", "jit.off()\n"}) {
    Governed vm(mode + kSpin + "app:get('/', function() " + body +
                " end) app:get('/fine', function() return 'fine' end)");
    CHECK(is_503(answer_to(vm.loaded, get("/"))));
    CHECK(vm.log.text().find("over its CPU limit") != std::string::npos);
    CHECK(answer_to(vm.loaded, get("/fine")) == "200 fine");
  }
}

TEST_CASE("governor: a request's time is summed up over its waits") {
  Governed vm(
      "app:get('/', function() while true do for i = 1, 1e6 do local x = i % 3 end perigee.sleep(0) end end)\n"
      "app:get('/long', { limits = { cpu = 0 } }, function()\n"
      "  local begun = os.clock() while os.clock() - begun < 0.2 do end return 'done' end)");
  CHECK(is_503(answer_to(vm.loaded, get("/"))));
  CHECK(answer_to(vm.loaded, get("/long")) == "200 done");
}

TEST_CASE("governor: middleware is given the 503 of what is inside, and has its own time") {
  Governed vm(std::string(kSpin) +
              "local seen\n"
              "app:use('/in', function(req, inner) local res = inner(req) seen = res.error\n"
              "  res.headers['x-late'] = 'yes' return res end)\n"
              "app:use('/out', function(req, inner) pcall(inner, req) spin() end)\n"
              "app:get('/in', spin) app:get('/out', spin)\n"
              "app:get('/seen', function() return seen end)");
  Request inside(vm.loaded, get("/in"));
  CHECK(inside.status() == 503);
  CHECK(inside.fields().find("x-late: yes") != std::string::npos);
  (void)inside.finish();
  inside.exchange.task = nullptr;
  CHECK(answer_to(vm.loaded, get("/seen")).find("over its CPU limit") != std::string::npos);
  CHECK(is_503(answer_to(vm.loaded, get("/out"))));
  CHECK(vm.log.events.size() == 3);
}

TEST_CASE("governor: app:error renders the 503, and is stopped itself") {
  Governed vm(std::string(kSpin) +
              "app:error(function(problem) return 'status ' .. problem.status end)\n"
              "app:get('/', spin)");
  CHECK(answer_to(vm.loaded, get("/")) == "503 status 503");
  Governed worse(std::string(kSpin) + "app:error(spin) app:get('/', spin) app:get('/404', function() return 404 end)");
  CHECK(is_503(answer_to(worse.loaded, get("/"))));
  CHECK(answer_to(worse.loaded, get("/404")).starts_with("404 {"));
  CHECK(worse.log.text().find("error in the error hook: ") != std::string::npos);
}

TEST_CASE("governor: after hooks, deferred functions and spawned tasks are stopped each by itself") {
  Governed vm(std::string(kSpin) +
              "local done = 0\n"
              "app:after(spin) app:after(function() done = done + 1 end)\n"
              "app:get('/', function() perigee.defer(function() done = done + 1 end) perigee.defer(spin)\n"
              "  perigee.spawn(spin) return 'fine' end)\n"
              "app:get('/wait', function() return select(2, perigee.spawn(spin):wait()) end)\n"
              "app:get('/done', function() return tostring(done) end)");
  CHECK(answer_to(vm.loaded, get("/")) == "200 fine");
  vm.loaded.run_ready();
  const std::string said = vm.log.text();
  CHECK(said.find("error in an after hook: ") != std::string::npos);
  CHECK(said.find("error in a deferred function: ") != std::string::npos);
  CHECK(said.find("uncaught error in a spawned task: ") != std::string::npos);
  CHECK(answer_to(vm.loaded, get("/done")) == "200 2");
  CHECK(answer_to(vm.loaded, get("/wait")).find("over its CPU limit of 0.06 s") != std::string::npos);
}

TEST_CASE("governor: a task that is no request may compute for ever, but not without a wait") {
  Governed vm(
      "local rounds = 0\n"
      "app:get('/', function() perigee.spawn(function() while true do rounds = rounds + 1\n"
      "  local begun = os.clock() while os.clock() - begun < 0.01 do end perigee.sleep(0) end end) return '' end)\n"
      "app:get('/rounds', function() return tostring(rounds) end)");
  CHECK(answer_to(vm.loaded, get("/")) == "200 ");
  for (int i = 0; i < 30; ++i) {
    for (perigee::script::Task* task : vm.loaded.vm->take_ready()) {
      (void)vm.loaded.dispatcher.resume(*task);
    }
  }
  CHECK(answer_to(vm.loaded, get("/rounds")) == "200 30");
  vm.loaded.vm->cancel_all(perigee::script::CancelReason::kDraining);
  vm.loaded.run_ready();
  CHECK(vm.log.events.empty());
}

TEST_CASE("governor: a stream over its limit breaks off") {
  Governed vm(std::string(kSpin) +
              "app:get('/', function() return perigee.stream(function(write) write('a') spin() end) end)");
  Request request(vm.loaded, get("/"));
  REQUIRE(request.outcome == Outcome::kAnswered);
  CHECK(vm.loaded.dispatcher.stream(request.exchange) == Outcome::kBroken);
  CHECK(vm.log.text().find("over its CPU limit") != std::string::npos);
}

TEST_CASE("governor: an app that never loads is a mistake with its place") {
  Watchdog watchdog;
  const Watchdog::Watch watch(watchdog, Watchdog::Clock::kWall);
  Scratch scratch;
  for (const auto* text :
       {"while true do end", "\nwhile true do pcall(function() while true do end end) end",
        "local perigee = require 'perigee' local app = perigee.app() require 'endless' return app"}) {
    CAPTURE(text);
    (void)scratch.file("endless.lua", "for i = 1, 1e18 do end");
    auto settings = short_time();
    settings.app_path = scratch.file("app.lua", text);
    std::vector<std::string> mistakes;
    CHECK(perigee::script::Vm::load(settings, mistakes) == nullptr);
    REQUIRE(mistakes.size() == 1);
    CHECK(mistakes[0].find(": the app did not load within 0.1 s (server.reload_timeout)") != std::string::npos);
  }
}

TEST_CASE("governor: finalizers that never end do not keep a VM from closing") {
  Watchdog watchdog;
  const Watchdog::Watch watch(watchdog, Watchdog::Clock::kProcessor);
  LoadedVm vm(
      "for i = 1, 20 do local p = newproxy(true) getmetatable(p).__gc = function() while true do end end kept = { "
      "kept, p } "
      "end",
      short_time());
  vm.vm.reset();
  CHECK(perigee::pulse.stay == 0);
}

TEST_CASE("governor: a finalizer that never ends is stopped, also where compiled code has led to it") {
  Governed vm(std::string(kSpin) +
              "local function leave() local p = newproxy(true) getmetatable(p).__gc = spin end\n"
              "app:get('/', function() leave() local kept while true do kept = { kept and 1 } end end)\n"
              "app:get('/fine', function() return 'fine' end)");
  for (int i = 0; i < 3; ++i) {
    CHECK(is_503(answer_to(vm.loaded, get("/"))));
    CHECK(answer_to(vm.loaded, get("/fine")) == "200 fine");
  }
}

TEST_CASE("governor: a finalizer that raises is told of in the log, and harms nobody") {
  Governed vm(
      "local ffi = require 'ffi'\n"
      "local function raise() error('no more') end\n"
      "app:get('/', { limits = { cpu = 30 } }, function()\n"
      "  for i = 1, 3000 do ffi.gc(ffi.new('char[4]'), raise) getmetatable(newproxy(true)).__gc = raise end\n"
      "  collectgarbage() return 'fine' end)");
  CHECK(answer_to(vm.loaded, get("/")) == "200 fine");
  REQUIRE(vm.log.events.size() >= 6000);
  CHECK_THAT(vm.log.events[0].message,
             Catch::StartsWith("error in a finalizer: ") && Catch::EndsWith("app.lua:3: no more"));
}

TEST_CASE("governor: the library's compiled loops end where a stop meets them") {
  Governed vm(std::string(kSpin) +
              "app:use('/', function(req, inner) local res = inner(req) res.headers['x-late'] = 'yes' return res end)\n"
              "app:get('/', spin) app:get('/warm', function() error(perigee.problem(409, 'taken', { a = 1 })) end)");
  for (int i = 0; i < 300; ++i) {
    REQUIRE(answer_to(vm.loaded, get("/warm")).starts_with("409 "));
  }
  vm.log.events.clear();
  for (int i = 0; i < 5; ++i) {
    Request request(vm.loaded, get("/"));
    CHECK(request.status() == 503);
    CHECK(request.fields().find("x-late: yes") != std::string::npos);
  }
  CHECK(vm.log.events.size() == 5);
}

TEST_CASE("governor: a hook of the program's own is back after a stop") {
  Governed vm(std::string(kSpin) +
              "local function mine() end\n"
              "app:get('/', function() debug.sethook(mine, 'r') spin() end)\n"
              "app:get('/hook', function() local fn, mask = debug.gethook() return tostring(fn == mine) .. mask end)");
  CHECK(is_503(answer_to(vm.loaded, get("/"))));
  CHECK(answer_to(vm.loaded, get("/hook")) == "200 truer");
}
