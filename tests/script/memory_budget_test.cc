#include "script/memory_budget.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "base/clock.h"
#include "vm_fixture.h"

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

perigee::script::VmSettings small_memory() {
  perigee::script::VmSettings settings;
  settings.limits.cpu = perigee::Pulse::kNoLimit;
  settings.limits.memory = 8 * kMiB;
  settings.limits.vm_memory = 64 * kMiB;
  settings.limits.vm_most = 96 * kMiB;
  return settings;
}

struct Heavy {
  explicit Heavy(const std::string& app) : loaded(app, small_memory()) {}

  // Lets a second at the most pass that really does: after it garbage is collected.
  void until(const std::function<bool()>& so) {
    for (const std::int64_t end = perigee::monotonic_ms() + 3000; !so() && perigee::monotonic_ms() < end;) {
      loaded.pass(0.01);
    }
    CHECK(so());
  }

  EventLog log;
  LoadedVm loaded;
};

bool is_503(const std::string& answer) {
  return answer.starts_with("503 ") && answer.find("the handler was over its memory budget") != std::string::npos;
}

}  // namespace

TEST_CASE("memory budget: a handler that keeps more than its budget is a 503 with its traceback") {
  const auto* body =
      GENERATE("local t = {} for i = 1, 1e9 do t[i] = i end", "local s = 'x' while true do s = s .. s end",
               "local t = {} while true do t = { t } end",
               "local t = {} for i = 1, 1e9 do pcall(function() t[i] = { i } end) end",
               "local t = {} for i = 1, 1e9 do t[i] = tostring(i) end",
               "local co = coroutine.wrap(function() local t = {} while true do t = { t } end end) co()");
  CAPTURE(body);
  for (const std::string mode : {"", "jit.off()\n"}) {
    Heavy vm(mode + "app:get('/', function() " + body + " end) app:get('/fine', function() return 'fine' end)");
    CHECK(is_503(answer_to(vm.loaded, get("/"))));
    REQUIRE(vm.log.events.size() == 1);
    CHECK(vm.log.events[0].message.find("over its memory budget of 8 MiB\nstack traceback:") != std::string::npos);
    CHECK(answer_to(vm.loaded, get("/fine")) == "200 fine");
    vm.until([&vm] { return vm.loaded.vm->heap_bytes() < 8 * kMiB; });
  }
}

TEST_CASE("memory budget: garbage counts only as long as it can't be collected") {
  Heavy vm("app:get('/', function() local s for i = 1, 100 do s = ('x'):rep(1e6) .. i end return 'done' end)");
  for (int i = 0; i < 3; ++i) {
    CHECK(answer_to(vm.loaded, get("/")) == "200 done");
  }
  CHECK(vm.log.events.empty());
}

TEST_CASE("memory budget: a request's memory is summed up over its waits, and a route has a budget of its own") {
  Heavy vm(
      "app:get('/', function() local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t perigee.sleep(0) end end)\n"
      "app:get('/much', { limits = { memory = '60MB' } }, function() return #('x'):rep(3e7) .. '' end)");
  CHECK(is_503(answer_to(vm.loaded, get("/"))));
  CHECK(answer_to(vm.loaded, get("/much")) == "200 30000000");
}

TEST_CASE("memory budget: what the VM's own limit refuses is a 503, too, and it goes on") {
  Heavy vm(
      "local function most(req) return ('x'):rep(tonumber(req.query.n)) .. 'y' end\n"
      "app:get('/', most)\n"
      "app:get('/caught', function(req) return tostring(select(2, pcall(most, req))) end)\n"
      "app:use('/inside', function(req, inner) return inner(req) end)\n"
      "app:get('/inside', most)");
  for (const auto* path : {"/", "/inside"}) {
    CHECK(answer_to(vm.loaded, get(std::string(path) + "?n=200000000")).starts_with("503 "));
    REQUIRE_FALSE(vm.log.events.empty());
    CHECK_THAT(vm.log.events.back().message,
               Catch::Contains("app.lua:2: not enough memory: the Lua VM may hold 96 MiB (limits.vm_memory_most)"));
    vm.log.events.clear();
  }
  CHECK(answer_to(vm.loaded, get("/caught?n=200000000")) == "200 not enough memory");
}

TEST_CASE("memory budget: a VM that is full gives nobody more") {
  for (const std::string mode : {"", "jit.off()\n"}) {
    Heavy vm(
        mode +
        "local kept = {}\n"
        "app:get('/', { limits = { memory = 0 } }, function() while true do kept = { kept, tostring(kept) } end end)\n"
        "app:get('/fine', function() return 'fine' end)");
    for (int i = 0; i < 3; ++i) {
      CHECK(is_503(answer_to(vm.loaded, get("/"))));
      REQUIRE_FALSE(vm.log.events.empty());
      CHECK_THAT(vm.log.events.back().message,
                 Catch::Contains("app.lua:") &&
                     Catch::Contains(": the Lua VM may hold 96 MiB (limits.vm_memory_most)\nstack traceback:"));
      CHECK(vm.loaded.vm->heap_bytes() < 100 * kMiB);
      CHECK(answer_to(vm.loaded, get("/fine")) == "200 fine");
    }
  }
}

TEST_CASE("memory budget: in a VM that is full those who take little are answered") {
  Heavy vm(
      "local kept = {}\n"
      "app:get('/', { limits = { memory = 0 } }, function() while true do kept = { kept, tostring(kept) } end end)\n"
      "app:get('/little', function(req) local t = {} for i = 1, 100 do t[i] = { i .. req.query.n } end return #t .. '' "
      "end)\n"
      "app:get('/more', function(req) local t = {} for i = 1, 1e5 do t[i] = { i .. '' } end return #t .. '' end)");
  CHECK(is_503(answer_to(vm.loaded, get("/"))));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(answer_to(vm.loaded, get("/little?n=" + std::to_string(i))) == "200 100");
  }
  CHECK(is_503(answer_to(vm.loaded, get("/more"))));
  CHECK(answer_to(vm.loaded, get("/little?n=x")) == "200 100");
}

TEST_CASE("memory budget: a VM that keeps more than it may asks to be replaced") {
  Heavy vm(
      "local kept = {}\n"
      "app:get('/', { limits = { memory = 0 } }, function() for i = 1, 100 do kept[#kept + 1] = ('x'):rep(7e5) .. i "
      "collectgarbage() end\n"
      "  return 'kept' end)\n"
      "app:get('/garbage', { limits = { memory = 0 } }, function(req) return #('x'):rep(req.query.n) .. '' end)");
  CHECK(answer_to(vm.loaded, get("/garbage?n=33000000")) == "200 33000000");  // a constant would live in its trace
  vm.loaded.pass(2);
  CHECK(vm.loaded.host.outgrown_by == 0);
  CHECK(answer_to(vm.loaded, get("/")) == "200 kept");
  vm.until([&vm] { return vm.loaded.host.outgrown_by > 64 * kMiB; });
}
