// Stops that come at any moment, by the thousand: while code is traced, garbage collected, finalizers run, errors
// raised and other VMs built. PERIGEE_KILLS says how many tasks are to be stopped.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "../vm_fixture.h"
#include "base/clock.h"
#include "base/pulse.h"
#include "base/watchdog.h"

namespace {

constexpr const char* kApp = R"lua(
local ffi = require "ffi"
local kept, round = {}, 0
ffi.cdef "typedef struct { int32_t a, b; } storm_pair;"
local Pair = ffi.metatype("storm_pair", { __index = { sum = function(p) return p.a + p.b end } })

local function finalized()
  local p = newproxy(true)
  getmetatable(p).__gc = function() kept[1] = { ("x"):rep(20), tostring(round) } end
  ffi.gc(ffi.new("char[4]"), function() kept[2] = { tostring(round) } end)
end
local function raises_when_collected()
  local p = newproxy(true)
  getmetatable(p).__gc = function() error({ round }) end
  ffi.gc(ffi.new("char[4]"), function() local x x = x.y end)
end

local work = {
  function() local s = 0 for i = 1, 1e9 do s = s + i % 7 end return s end,
  function() while true do pcall(function() error({ round }) end) end end,
  function() local t = {} while true do t = { t[1], tostring(round) } finalized() end end,
  function() -- new code each time: always being traced
    while true do
      round = round + 1
      local f = loadstring("local a = 0 for i = 1, " .. 50 + round % 100 .. " do a = a + i % 3 end return a")
      f() f()
    end
  end,
  function() while true do
    local co = coroutine.wrap(function() for i = 1, 20 do coroutine.yield({ i }) end end)
    for _ = 1, 20 do co() end
  end end,
  function() while true do ("abc"):gsub("%w", function(c) return c .. round end) end end,
  function() while true do
    local t = setmetatable({}, { __index = function(_, k) return k .. "x" end, __tostring = function() return "t" end })
    tostring(t) local _ = t.a
    table.sort({ 3, 1, 2 }, function(a, b) return a < b end)
  end end,
  function() while true do perigee.decode(perigee.encode { list = { 1, 2, { a = "x" } } }) collectgarbage("step") end end,
  function() while true do perigee.spawn(function() return { 1 } end) perigee.sleep(0) end end,
  function() local t = {} for i = 1, 1e9 do t[i] = { i, tostring(i) } end end, -- over its budget, too
  function() local a = ffi.new("int[8]") while true do round = round + 1 a[round % 8] = a[1] + Pair(1, 2):sum() end end,
  function() local t = {} while true do t = { t[1], tostring(round) } raises_when_collected() end end,
  function() local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end while true do deep(150) end end,
  function() while true do xpcall(function() local x x = x.y end, debug.traceback) end end,
  function() while true do collectgarbage() finalized() end end,
}
for i, fn in ipairs(work) do app:get("/round/" .. i, { limits = { memory = "1MB" } }, function() fn() return "ended" end) end
for i, fn in ipairs(work) do app:get("/middle/" .. i, function() fn() return "ended" end) end
app:use("/middle", function(req, inner) local res = inner(req) res.headers["x-a"] = "b" return res end)

local storms
app:get("/endless", function() -- a finalizer that never ends
  storms = true
  getmetatable(newproxy(true)).__gc = function() while storms do end end
  while true do collectgarbage() end
end)

local function compiled(n) local s = 0 for i = 1, n do s = s + i % 3 end return s end
local function counter() local n = 0 return function() n = n + 1 return n end end
app:get("/health", function(req)
  storms = false
  local sum, list = 0, {}
  for i = 1, 300 do sum = sum + #tostring(i) list[i] = { at = i, text = "v" .. i } end
  for i = 1, 300 do assert(list[i].at == i and list[i].text == "v" .. i) end
  table.sort(list, function(a, b) return a.at > b.at end)
  assert(list[1].at == 300 and list[300].at == 1)
  assert(compiled(999) == 999 and ("ab"):rep(50):gsub("b", "c") == ("ac"):rep(50))
  local ok, err = pcall(error, { sum })
  assert(not ok and err[1] == sum)
  local said, text = pcall(function() local x x = x.y end)
  assert(not said and text:find("attempt to index local 'x'", 1, true))
  local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
  assert(co(1) == 2 and co(21) == 42)
  local next_one, other = counter(), counter()
  assert(next_one() + next_one() + next_one() == 6 and other() == 1)
  assert(Pair(40, 2):sum() == 42)
  local weak = setmetatable({ [{}] = true }, { __mode = "k" })
  if req.query.collect then collectgarbage() assert(next(weak) == nil) end
  local back = perigee.decode(perigee.encode { sum = sum, list = { 1, "two", { three = 3 } } })
  assert(back.sum == sum and back.list[2] == "two" and back.list[3].three == 3)
  return { sum = sum, task = perigee.spawn(function() perigee.sleep(0) return "task" end):wait(1) }
end)
)lua";

constexpr int kWorks = 15;

// Takes the place of the error log, and keeps only how many tasks were stopped.
class Deaf final : public perigee::LogSink {
 public:
  Deaf() { perigee::set_log_sink(this); }
  ~Deaf() override { perigee::set_log_sink(nullptr); }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;

  void write(perigee::LogLevel, std::string_view message) override {
    const bool stop = message.find(": over its ") != std::string_view::npos;
    stops += stop ? 1 : 0;
  }
  void write(perigee::LogLevel level, std::string_view message, std::string_view, std::string_view) override {
    write(level, message);
  }
  [[nodiscard]] bool enabled(perigee::LogLevel) const override { return true; }

  std::atomic<long> stops{0};
};

// A thread that orders what runs in this one to stop, at any moment after that was wanted.
class Storm {
 public:
  Storm() : pulse_(perigee::pulse), thread_(pthread_self()), storm_([this] { run(); }) {}
  ~Storm() {
    over_ = true;
    storm_.join();
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  /// Whether stays in Lua are to be stopped, from here on.
  void blow(bool wanted) {
    const std::lock_guard lock(mutex_);
    wanted_ = wanted;
  }

 private:
  // What comes after a stop gets a chance that grows, so that every request ends.
  void run() {
    std::mt19937 random(7);
    constexpr int kMostPatience = 32;
    int patience = 1;
    while (!over_) {
      const timespec moment{0, static_cast<long>(random() % 60'000) * patience};
      nanosleep(&moment, nullptr);
      const std::lock_guard lock(mutex_);
      const std::uint64_t stay = pulse_.stay;
      if (!wanted_) {
        patience = 1;
      } else if (stay != 0) {
        patience = std::min(patience * 2, kMostPatience);
        pulse_.stop_stay = stay;
        pulse_.noted = true;
        pthread_kill(thread_, perigee::Watchdog::signal());
      }
    }
  }

  perigee::Pulse& pulse_;
  pthread_t thread_;
  std::mutex mutex_;
  bool wanted_ = false;  // guarded by mutex_
  std::atomic<bool> over_{false};
  std::thread storm_;
};

// Loads apps on a thread of its own, one after the other.
class Builder {
 public:
  Builder()
      : path_(scratch_.file("app.lua", "local perigee = require 'perigee' local app = perigee.app()\n" +
                                           std::string(kApp) + "\nreturn app\n")),
        thread_([this] { run(); }) {}
  ~Builder() {
    over_ = true;
    thread_.join();
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  std::atomic<int> built{0};
  std::atomic<int> failed{0};

 private:
  void run() {
    constexpr timespec kPause{0, 10'000'000};
    while (!over_) {
      std::vector<std::string> mistakes;
      ++(LoadedVm::load(path_, mistakes) != nullptr ? built : failed);
      nanosleep(&kPause, nullptr);
    }
  }

  Scratch scratch_;
  std::string path_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

std::string health(LoadedVm& vm, bool collects) {
  return answer_to(vm, get(collects ? "/health?collect=1" : "/health"));
}

// One request that never ends by itself, while the storm blows; its status.
int stopped(LoadedVm& vm, Storm& storm, const std::string& target) {
  storm.blow(true);
  Request request(vm, get(target));
  while (request.settle() == Request::Outcome::kWaiting) {
    for (perigee::script::Task* task : vm.vm->take_ready()) {
      perigee::script::Exchange* exchange = task->exchange;
      const auto outcome = vm.dispatcher.resume(*task);
      vm.last = exchange != nullptr ? outcome : vm.last;
    }
  }
  storm.blow(false);
  REQUIRE(request.settle() == Request::Outcome::kAnswered);
  return request.status();
}

std::string target_of(int round) {
  constexpr int kEndlessEvery = 997;  // its finalizer has its grace each time
  if (round % kEndlessEvery == kEndlessEvery - 1) {
    return "/endless";
  }
  return (round / kWorks % 2 == 0 ? "/round/" : "/middle/") + std::to_string(1 + round % kWorks);
}

}  // namespace

TEST_CASE("kill storm: a VM is healthy after every stop, whatever it was doing", "[stop]") {
  constexpr int kCollectEvery = 50;
  const char* const wanted = std::getenv("PERIGEE_KILLS");
  const long kills = wanted != nullptr ? std::atol(wanted) : 1500;
  Deaf deaf;
  LoadedVm vm(kApp);
  const std::string well = health(vm, true);
  REQUIRE(well.starts_with("200 {"));
  std::map<int, int> answers;
  int rounds = 0;
  {
    Builder builder;
    Storm storm;
    for (; deaf.stops < kills; ++rounds) {
      const std::string target = target_of(rounds);
      CAPTURE(rounds, deaf.stops.load(), target);
      ++answers[stopped(vm, storm, target)];
      vm.run_ready();
      REQUIRE(health(vm, rounds % kCollectEvery == 0) == well);
    }
    CHECK(builder.built > 0);
    CHECK(builder.failed == 0);
  }
  CAPTURE(answers);
  WARN(deaf.stops.load() << " tasks stopped in " << rounds << " requests");
  CHECK(answers[503] + answers[500] == rounds);  // 500: stopped while it said what an error is
  CHECK(answers[503] > rounds / 2);
  CHECK(vm.vm->busy_tasks() == 0);
  REQUIRE(health(vm, true) == well);
  CHECK(vm.vm->heap_bytes() < std::size_t{16} << 20);
}
