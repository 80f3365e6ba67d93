// Memory that fails, and limits that strike, at any moment: at every allocation of a VM in turn, in every kind of task,
// while a handler runs, its answer is encoded, tasks are made and errors are told of.

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <lua.hpp>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "base/pulse.h"
#include "base/watchdog.h"
#include "script/safepoint.h"

#include "../../client/peer_door.h"
#include "../vm_fixture.h"

using perigee::script::Safepoint;
using Outcome = Request::Outcome;

namespace {

// What an app does on every way through the dispatcher.
constexpr const char* kApp = R"lua(
local t = perigee.types
local kept = {}
app:get("/text", function(req) return "text " .. req.query.a .. tostring({}) end)
app:get("/json", function() return { list = { 1, 2, { three = "x" } }, text = ("x"):rep(600) } end)
app:get("/raise", function() local x x = x.y return x end)
app:get("/problem", function() error(perigee.problem(409, "taken", { more = { 1 } })) end)
app:get("/spawn", function()
  local task = perigee.spawn(function(n) perigee.sleep(0) return { n } end, 7)
  perigee.defer(function() kept.deferred = true end)
  local value = task:wait(1)
  return "spawned " .. value[1]
end)
app:get("/all", function()
  local first, second = perigee.all(function() perigee.sleep(0) return 1 end, function() return { 2 } end)
  return tostring(first) .. tostring(second)
end)
app:get("/session", function(req) req.session.visits = (req.session.visits or 0) + 1 return "" .. req.session.visits end)
app:get("/dictionary", function()
  local dictionary = perigee.shared("faults")
  dictionary:set("key", { list = { 1, "two" } })
  return dictionary:get("key").list[2] .. tostring(dictionary:get("none"))
end)
app:get("/compiled", function()
  local list, text = {}, ""
  for i = 1, 200 do list[i] = { i } text = text:sub(1, 40) .. i end
  return text
end)
app:get("/collected", function()
  local ffi = require "ffi"
  for i = 1, 50 do ffi.gc(ffi.new("char[4]"), function() error({ i }) end) end
  collectgarbage()
  return "fine"
end)
app:get("/coroutine", function()
  local text = ""
  for word in coroutine.wrap(function() for i = 1, 3 do perigee.sleep(0) coroutine.yield("w" .. i) end end) do
    text = text .. word
  end
  return text
end)
app:get("/middle", function() return { fine = true } end)
app:use("/middle", function(req, inner) local res = inner(req) res.headers["x-a"] = "b" return res end)
app:get("/finalizer", function()
  local p = newproxy(true)
  getmetatable(p).__gc = function() kept.finalized = { ("x"):rep(10) } end
  return "fine"
end)
app:post("/body", { body = t.object { name = t.string, age = t.integer:optional() } }, function(req) return req.body end)
app:get("/decode", function() return #perigee.decode('[' .. ("[1,{\"key\":\"value\"}],"):rep(40) .. '0]') .. "" end)
local broken = perigee.app()
broken:error(function(problem) return { status = problem.status, list = { ("y"):rep(100) } } end)
broken:get("/", function() error({ code = 7 }) end)
app:mount("/broken", broken)
app:get("/health", function(req)
  local sum = 0
  for i = 1, 300 do sum = sum + #tostring(i) end
  local ok, err = pcall(error, { sum })
  local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
  assert(not ok and err[1] == sum and co(1) == 2 and co(21) == 42)
  local task = perigee.spawn(function() perigee.sleep(0) return "task" end)
  return { sum = sum, task = task:wait(1), query = req.query.q }
end)
)lua";

// What goes wrong at an allocation of a VM.
enum class Fault : std::uint8_t {
  kRefused,  // it is not given, where the engine may refuse it: as above limits.vm_memory_most
  kStarved,  // none is given any more for a while, likewise
  kStopped,  // the task is ordered to stop, as over its limits
  kWeighed   // all garbage is collected at the next safepoint, as over its budget
};

// Has it happen at the `left`-th allocation from here on.
class FaultyMemory {
 public:
  FaultyMemory(perigee::script::Vm& vm, Fault fault, long left)
      : vm_(vm), fault_(fault), left_(left), real_(lua_getallocf(vm.state(), &real_context_)) {
    lua_setallocf(vm.state(), allocate, this);
  }
  ~FaultyMemory() { lua_setallocf(vm_.state(), real_, real_context_); }
  FaultyMemory(const FaultyMemory&) = delete;
  FaultyMemory& operator=(const FaultyMemory&) = delete;

  bool struck = false;

 private:
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
    auto& memory = *static_cast<FaultyMemory*>(self);
    const bool counts = new_size > old_size && memory.vm_.governor().inside();
    if (counts && --memory.left_ < 0 && memory.strikes()) {
      return nullptr;
    }
    return memory.real_(memory.real_context_, block, old_size, new_size);
  }

  // Whether this allocation fails.
  bool strikes() {
    constexpr int kWhile = 40;
    const bool over = struck && (fault_ != Fault::kStarved || ++refused_ > kWhile);
    switch (fault_) {
      case Fault::kRefused:
      case Fault::kStarved:
        if (over || !Safepoint::raises(vm_.state())) {
          return false;
        }
        return struck = true;
      case Fault::kStopped:
        if (!over) {
          struck = true;
          perigee::pulse.stop_stay = perigee::pulse.stay.load();
          perigee::pulse.noted = true;
          std::raise(perigee::Watchdog::signal());
        }
        return false;
      case Fault::kWeighed:
        if (!over) {
          struck = true;
          vm_.governor().order_weighing();
        }
        return false;
    }
    return false;
  }

  perigee::script::Vm& vm_;
  Fault fault_;
  long left_;
  int refused_ = 0;
  void* real_context_ = nullptr;
  lua_Alloc real_;
};

std::string health(LoadedVm& vm) {
  return answer_to(vm, get("/health?q=well"));
}

// One request while memory fails; its status, or "dropped" as a worker drops it.
std::string disturbed(LoadedVm& vm, const std::string& bytes) {
  vm.dropped = false;
  try {
    Request request(vm, bytes);
    for (int i = 0; i < 5 && request.settle() == Outcome::kWaiting; ++i) {
      vm.pass(0.5);
    }
    if (request.settle() == Outcome::kWaiting) {  // for who was dropped
      vm.vm->cancel(*request.exchange.task, perigee::script::CancelReason::kClientGone);
      vm.run_ready();
    }
    const bool answered = request.settle() == Outcome::kAnswered;
    return answered ? std::to_string(request.status()) : vm.dropped ? "dropped" : "waits";
  } catch (const std::bad_alloc&) {
    return "dropped";
  }
}

}  // namespace

TEST_CASE("faults: at whichever allocation memory fails or a limit strikes, the VM is healthy after") {
  const auto* mode = GENERATE("", "jit.off()\n");
  const Fault fault = GENERATE(Fault::kRefused, Fault::kStarved, Fault::kStopped, Fault::kWeighed);
  const auto* target =
      GENERATE("/text?a=1", "/json", "/raise", "/problem", "/spawn", "/coroutine", "/middle", "/finalizer", "/broken",
               "/decode", "/all", "/session", "/dictionary", "/compiled", "/collected");
  CAPTURE(mode, static_cast<int>(fault), target);
  EventLog log;
  LoadedVm vm(mode + std::string(kApp));
  const std::string well = health(vm);
  REQUIRE(well.starts_with("200 {"));
  bool reached = true;
  std::set<std::string> answers;
  for (long index = 0; reached && index < 5000; ++index) {
    CAPTURE(index);
    {
      FaultyMemory memory(*vm.vm, fault, index);
      answers.insert(disturbed(vm, get(target)));
      reached = memory.struck;
    }
    vm.run_ready();
    log.events.clear();
    const std::string now = health(vm);
    CAPTURE(log.text());
    REQUIRE(now == well);
    REQUIRE(vm.vm->busy_tasks() == 0);
  }
  CHECK_FALSE(reached);
  for (const std::string& answer : answers) {
    CAPTURE(answer);
    CHECK((answer == "dropped" || answer[0] == '5' || answer[0] == '2' || answer == "409"));
  }
}

namespace {

// One request that calls another server, at `door`, while memory fails; whether it did.
bool called(LoadedVm& vm, Door& door, Fault fault, long index) {
  std::vector<Peer> peers;
  FaultyMemory memory(*vm.vm, fault, index);
  vm.dropped = false;
  try {
    Request request(vm, get("/call"));
    REQUIRE(turn_until(*vm.host.loop, [&] {
      if (door.knocked()) {
        peers.push_back(door.accept());
      }
      for (Peer& peer : peers) {
        if (peer.receive() && peer.received().ends_with("[1]")) {
          peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\n[\"one\"]");
          peer.finish_sending();
        }
      }
      vm.run_ready();
      return request.settle() != Outcome::kWaiting || vm.dropped;
    }));
  } catch (const std::bad_alloc&) {
    vm.dropped = true;
  }
  CHECK((!vm.dropped || fault == Fault::kStarved));
  return memory.struck;
}

}  // namespace

TEST_CASE("faults: whenever memory fails while another server answers, the VM is healthy after") {
  const auto* mode = GENERATE("", "jit.off()\n");
  const Fault fault = GENERATE(Fault::kRefused, Fault::kStarved, Fault::kStopped, Fault::kWeighed);
  CAPTURE(mode, static_cast<int>(fault));
  EventLog log;
  Door door;
  LoadedVm vm(mode + std::string(kApp) +
              "app:get('/call', function() local res = assert(perigee.http.post('http://127.0.0.1:" +
              std::to_string(door.port()) + "/', { json = { 1 } })) return res.status .. res:json()[1] end)");
  (void)vm.host.network();
  const std::string well = health(vm);
  bool reached = true;
  for (long index = 0; reached && index < 5000; ++index) {
    CAPTURE(index);
    reached = called(vm, door, fault, index);
    vm.run_ready();
    log.events.clear();
    REQUIRE(health(vm) == well);
    CHECK(vm.vm->busy_tasks() == 0);
  }
  CHECK_FALSE(reached);
}

TEST_CASE("faults: an app that is over its memory at whichever point of its loading is a mistake, and no more") {
  Scratch scratch;
  perigee::script::VmSettings settings;
  settings.app_path = scratch.file("app.lua", "local perigee = require 'perigee' local app = perigee.app()\n" +
                                                  std::string(kApp) + "\nreturn app\n");
  constexpr std::size_t kStep = 16 * 1024;
  bool loads = false;
  int failures = 0;
  for (std::size_t most = kStep; !loads && most < 1000 * kStep; most += kStep) {
    CAPTURE(most);
    settings.limits.memory = settings.limits.vm_memory = settings.limits.vm_most = most;
    std::vector<std::string> mistakes;
    loads = perigee::script::Vm::load(settings, mistakes) != nullptr;
    failures += loads ? 0 : 1;
    CHECK(mistakes.empty() == loads);
  }
  CHECK(loads);
  CHECK(failures > 10);
}
