// What is left of a server when memory ends for a moment, at each allocation in turn, on the threads that reload and
// run jobs, and on a worker's while it takes up a new version.

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <string>

#include "../memory_faults.h"
#include "base/watchdog.h"
#include "captured_log.h"
#include "scratch.h"
#include "server/reloader.h"
#include "server/test_app.h"
#include "server/vm_settings.h"
#include "test_client_answer.h"

using namespace perigee;
using namespace perigee::server;

namespace {

constexpr const char* kApp = R"(
  local perigee = require "perigee"
  local app = perigee.app()
  app:start(function() end)
  app:get("/version", function() return "%" end)
  app:get("/run", function()
    local tasks, sum = {}, 0
    for i = 1, 3 do tasks[i] = perigee.spawn(function() return perigee.run("jobs", "work") end) end
    for i = 1, 3 do
      local value, err = tasks[i]:wait(20)
      sum = sum + (value and value.n or err == "timeout" and 1000 or 100)
    end
    return tostring(sum)
  end)
  return app
)";

constexpr const char* kJobs = R"(
  local log = require("perigee").log
  return { work = function() log.info("fail") return { n = 1, text = ("x"):rep(1000) } end }
)";

std::string app_of(const std::string& version) {
  std::string text = kApp;
  return text.replace(text.find('%'), 1, version);
}

// A log whose events "fail" have a later allocation of their thread fail.
class FailingLog final : public LogSink {
 public:
  FailingLog() { set_log_sink(this); }
  ~FailingLog() override { set_log_sink(nullptr); }
  FailingLog(const FailingLog&) = delete;
  FailingLog& operator=(const FailingLog&) = delete;

  void write(LogLevel level, std::string_view message) override { write(level, message, {}, {}); }
  void write(LogLevel, std::string_view message, std::string_view, std::string_view) override {
    if (message.starts_with("fail")) {
      memory_faults::fail_once(allocation);
    }
  }
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }

  std::atomic<int> allocation{1};
};

}  // namespace

TEST_CASE("memory faults: a reload succeeds or changes nothing, tells who asked, and the next one works") {
  const CapturedLog log;
  const Scratch scratch;
  auto options = std::make_shared<Options>();
  options->app = scratch.file("app.lua", app_of("1"));
  TestState state;
  WorkQueue helpers(1, 1);
  Worker::Setup setup;
  setup.options = options;
  setup.limits = &state.limits;
  setup.rates = &state.rates;
  setup.shared = &state.shared;
  setup.errors = &state.errors;
  setup.topics = &state.topics;
  setup.sessions = &state.sessions;
  setup.route_names = &state.route_names;
  setup.helpers = &helpers;
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(std::make_unique<Worker>(std::move(setup)));
  workers.back()->start();
  int allocation = 0;
  int succeeded = 0;
  int failed = 0;
  {
    // The options are read on the reloader's thread: memory ends there, a while later.
    const auto read = [&](const Options&, std::vector<std::string>&) {
      memory_faults::fail_once(allocation);
      return options;
    };
    Reloader reloader(workers, options, read, nullptr, &state.errors);
    REQUIRE(reloader.load_first().ok);
    reloader.start();
    const auto reload = [&] {
      std::promise<bool> told;
      reloader.request([&](const ReloadResult& result) {
        const bool starved = std::exchange(memory_faults::left, memory_faults::kAll) == memory_faults::kAll;
        ++(result.ok ? succeeded : failed);
        CHECK((result.ok || !result.mistakes.empty()));
        told.set_value(starved);
      });
      auto answer = told.get_future();
      REQUIRE(answer.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
      return answer.get();
    };
    for (allocation = 1; reload(); allocation += 1 + allocation / 40) {
    }
    CHECK(failed > 20);
    CHECK(allocation > 100);
    const int before = succeeded;
    allocation = memory_faults::kAll;
    (void)reload();
    CHECK(succeeded == before + 1);
  }
  workers.clear();
  helpers.stop();
}

TEST_CASE("memory faults: a worker takes up a new version when it has the memory for it") {
  const CapturedLog log;
  const Scratch scratch;
  Options options;
  options.app = scratch.file("app.lua", app_of("0"));
  const auto app = *TestApp::open(options, {});
  TestClient client(*app);
  int starved = 0;
  for (int version = 1; version <= 30; ++version) {
    options.app = scratch.file("app.lua", app_of(std::to_string(version)));
    std::vector<std::string> mistakes;
    auto vm = script::Vm::load(vm_settings(options, 0, 1), mistakes);
    REQUIRE(vm != nullptr);
    const auto number = static_cast<std::uint64_t>(version) + 1;
    app->worker().prepare(std::move(vm), number, [](const std::string&) {});
    (void)app->turn(0);
    app->worker().activate(number, std::make_shared<const Options>(options));
    memory_faults::fail_once(version);
    (void)app->turn(0);
    starved += std::exchange(memory_faults::left, memory_faults::kAll) == memory_faults::kAll ? 1 : 0;
    const Milliseconds latest = real_ms() + 20'000;
    std::string answer;
    do {
      answer = answer_to(client, "/version", 20'000);
    } while (answer != std::to_string(version) && real_ms() < latest);
    REQUIRE(answer == std::to_string(version));
  }
  CHECK(starved > 3);
}

TEST_CASE("memory faults: who waits for a job is told, and the next one runs") {
  FailingLog log;
  const Scratch scratch;
  Watchdog watchdog;
  Options options;
  options.app = scratch.file("app.lua", app_of("1"));
  (void)scratch.file("jobs.lua", kJobs);
  options.background_threads = 1;
  TestApp::Settings settings;
  settings.watchdog = &watchdog;
  const auto app = *TestApp::open(options, settings);
  TestClient client(*app);
  for (log.allocation = 1; log.allocation < 40; ++log.allocation) {
    const int sum = std::stoi(answer_to(client, "/run", 20'000));
    CHECK(sum < 1000);  // else one was not told
  }
}

TEST_CASE("memory faults: a connection that there is no memory for counts nowhere, and the next one is taken") {
  const CapturedLog log;
  const Scratch scratch;
  Options options;
  options.app = scratch.file("app.lua", app_of("1"));
  TestApp::Settings settings;
  settings.state = std::make_shared<TestState>();
  const auto app = *TestApp::open(options, settings);
  net::Connection* taken = nullptr;
  int refused = 0;
  for (int allocation = 1; taken == nullptr && allocation < 100; ++allocation) {
    memory_faults::fail_once(allocation);
    try {
      taken = app->worker().connect();
    } catch (const std::bad_alloc&) {
      ++refused;
    }
    memory_faults::fail_none();
    CHECK(settings.state->limits.count() == (taken != nullptr ? 1 : 0));
  }
  CHECK(refused > 0);
  REQUIRE(taken != nullptr);
  taken->close();
  CHECK(settings.state->limits.count() == 0);
}
