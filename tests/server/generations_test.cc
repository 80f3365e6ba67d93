#include "server/generations.h"

#include "../script/vm_fixture.h"
#include "captured_log.h"

using perigee::Milliseconds;
using perigee::server::Generation;
using perigee::server::Generations;

namespace {

// A worker's generations on a FakeHost.
class Worker {
 public:
  // Prepares a generation whose app has `code` in it; what the start hooks said is in `said`.
  void prepare(std::uint64_t number, const std::string& code = "") {
    const std::string path =
        scratch.file("app" + std::to_string(number) + ".lua",
                     "local perigee = require 'perigee' local app = perigee.app()\n" + code + "\nreturn app\n");
    std::vector<std::string> mistakes;
    auto vm = LoadedVm::load(path, mistakes);
    REQUIRE(vm != nullptr);
    generations.prepare(std::move(vm), number, host, [this](const std::string& error) { said.push_back(error); });
  }
  void activate(std::uint64_t number, Milliseconds drain_deadline = 1'000'000) {
    generations.activate(number, drain_deadline);
  }
  bool collect(Milliseconds now) {
    return generations.collect(now, [this](Generation& generation) { abandoned.push_back(generation.number); });
  }
  void run_ready() {
    generations.each([](Generation& generation) {
      while (generation.vm->has_ready()) {
        for (perigee::script::Task* task : generation.vm->take_ready()) {
          (void)generation.dispatcher.resume(*task);
        }
      }
    });
  }
  void pass(double seconds) {
    host.pass(seconds);
    run_ready();
  }

  Scratch scratch;
  FakeHost host;
  Generations generations;
  std::vector<std::string> said;
  std::vector<std::uint64_t> abandoned;
};

}  // namespace

TEST_CASE("generations: one without start hooks is ready at once, and current when it is activated") {
  Worker worker;
  CHECK_FALSE(worker.generations.has_current());
  worker.prepare(1);
  CHECK(worker.said == std::vector<std::string>{""});
  CHECK_FALSE(worker.generations.has_current());
  worker.activate(1);
  REQUIRE(worker.generations.has_current());
  CHECK(worker.generations.current().number == 1);
  CHECK(worker.generations.live() == 1);
  CHECK_FALSE(worker.collect(1'000'000'000));
  CHECK(worker.generations.live() == 1);
}

TEST_CASE("generations: one is ready when its start hooks have ended, with their error") {
  Worker worker;
  worker.prepare(1, "app:start(function() perigee.sleep(2) end)");
  CHECK(worker.said.empty());
  worker.pass(3);
  CHECK(worker.said == std::vector<std::string>{""});
  worker.prepare(2, "app:start(function() error('no database') end)");
  REQUIRE(worker.said.size() == 2);
  CHECK(worker.said[1].find("app2.lua:2: no database") != std::string::npos);
}

TEST_CASE("generations: the one before goes once it is idle, after its stop hooks") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1, "app:stop(function() perigee.sleep(1) perigee.log.info('stopped') end)");
  worker.activate(1);
  worker.prepare(2);
  worker.activate(2);
  CHECK(worker.generations.current().number == 2);
  CHECK(worker.generations.live() == 2);
  CHECK(worker.collect(10));
  worker.pass(2);
  CHECK(log.text() == "info stopped\n");
  CHECK_FALSE(worker.collect(20));
  CHECK(worker.generations.live() == 1);
  CHECK(worker.abandoned.empty());
}

TEST_CASE("generations: a stop hook that fails is logged, and ends the generation all the same") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1, "app:stop(function() error('no stop') end)");
  worker.activate(1);
  worker.prepare(2);
  worker.activate(2);
  (void)worker.collect(10);
  worker.run_ready();
  CHECK_FALSE(worker.collect(20));
  CHECK(worker.generations.live() == 1);
  CHECK(log.text().starts_with("error error in a stop hook: "));
  CHECK(log.text().find("no stop") != std::string::npos);
}

TEST_CASE("generations: a request's pin keeps the one before, whatever the time, until it ends") {
  Worker worker;
  worker.prepare(1);
  worker.activate(1);
  Generation& pinned = worker.generations.current();
  pinned.pins = 1;
  worker.prepare(2);
  worker.activate(2, 1000);
  CHECK(worker.collect(999));
  CHECK(worker.collect(1000));
  CHECK(worker.generations.live() == 2);
  pinned.pins = 0;
  CHECK_FALSE(worker.collect(1001));
  CHECK(worker.generations.live() == 1);
}

TEST_CASE("generations: at the drain deadline what still waits is cancelled") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1,
                 "app:start(function() perigee.spawn(function()\n"
                 "  local _, err = pcall(perigee.sleep, 1e6) perigee.log.info(err) end) end)");
  worker.activate(1);
  worker.run_ready();
  worker.prepare(2);
  worker.activate(2, 1000);
  CHECK(worker.collect(999));
  worker.run_ready();
  CHECK(log.text().empty());
  CHECK(worker.collect(1000));
  worker.run_ready();
  CHECK(log.text() == "info cancelled: the server or this version of the app is ending\n");
  CHECK_FALSE(worker.collect(1001));
  CHECK(worker.generations.live() == 1);
}

TEST_CASE("generations: once the last request has gone, what it left running has a while, not the whole drain") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1,
                 "app:start(function() perigee.spawn(function()\n"
                 "  local _, err = pcall(perigee.sleep, 1e6) perigee.log.info(err) end) end)");
  worker.activate(1);
  worker.run_ready();
  worker.prepare(2);
  worker.activate(2, 1'000'000);
  CHECK(worker.collect(500));
  CHECK(worker.collect(500 + Generations::kLeftover - 1));
  worker.run_ready();
  CHECK(log.text().empty());
  CHECK(worker.collect(500 + Generations::kLeftover));
  worker.run_ready();
  CHECK(log.text() == "info cancelled: the server or this version of the app is ending\n");
  CHECK_FALSE(worker.collect(500 + Generations::kLeftover + 1));
  CHECK(worker.generations.live() == 1);
}

TEST_CASE("generations: one that does not end even so is abandoned after the grace, and said so once") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1,
                 "app:start(function() perigee.spawn(function() while true do pcall(perigee.sleep, 1) end end) end)");
  worker.activate(1);
  worker.run_ready();
  worker.generations.current().pins = 1;
  worker.prepare(2);
  worker.activate(2, 1000);
  CHECK(worker.collect(1000 + Generations::kGrace - 1));
  CHECK(worker.abandoned.empty());
  CHECK_FALSE(worker.collect(1000 + Generations::kGrace));
  CHECK(worker.abandoned == std::vector<std::uint64_t>{1});
  CHECK(worker.generations.live() == 1);
  CHECK_FALSE(worker.collect(1'000'000));
  CHECK(worker.abandoned.size() == 1);
}

TEST_CASE("generations: one that is discarded goes without its stop hooks, what it began cancelled") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1);
  worker.activate(1);
  worker.prepare(2,
                 "app:start(function() perigee.sleep(1e6) end)\n"
                 "app:stop(function() perigee.log.info('stopped') end)");
  worker.generations.discard(2);
  worker.generations.discard(99);
  CHECK(worker.collect(1000));
  CHECK(worker.generations.current().number == 1);
  worker.run_ready();
  CHECK_FALSE(worker.collect(1001));
  CHECK(worker.generations.live() == 1);
  CHECK(worker.abandoned.empty());
  CHECK(log.text().empty());
}

TEST_CASE("generations: draining all keeps the current one in service until it is quiet") {
  const CapturedLog log;
  Worker worker;
  worker.prepare(1, "app:stop(function() perigee.log.info('stopped') end)");
  worker.activate(1);
  CHECK_FALSE(worker.generations.quiet());
  worker.generations.current().pins = 1;
  worker.generations.drain_all(1000);
  CHECK(worker.collect(10));
  CHECK_FALSE(worker.generations.quiet());
  worker.generations.current().pins = 0;
  CHECK(worker.collect(20));
  CHECK(worker.generations.quiet());
  CHECK(worker.generations.live() == 1);
  CHECK(worker.generations.current().number == 1);
  CHECK(log.text() == "info stopped\n");
}

TEST_CASE("generations: draining all moves deadlines earlier only") {
  Worker worker;
  worker.prepare(1);
  worker.activate(1);
  worker.prepare(2);
  worker.activate(2, 500);
  worker.generations.drain_all(1000);
  std::vector<Milliseconds> deadlines;
  worker.generations.each([&](const Generation& generation) { deadlines.push_back(generation.drain_deadline); });
  CHECK(deadlines == std::vector<Milliseconds>{500, 1000});
}
