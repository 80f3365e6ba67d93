#include "server/background.h"

#include <catch2/catch.hpp>

#include "base/watchdog.h"
#include "scratch.h"
#include "server/test_app.h"
#include "server/test_client.h"

using namespace perigee;
using namespace perigee::server;

namespace {

constexpr const char* kApp = R"(
  local perigee = require "perigee"
  local app, shared = perigee.app(), perigee.shared("notes")
  app:get("/run/{name}", function(req)
    local ok, value, err = pcall(perigee.run, "jobs", req.params.name)
    return tostring(ok) .. " " .. tostring(value):match("^[^\n]*") .. " " .. tostring(err):match("^[^\n]*")
  end)
  app:get("/give-up/{name}", function(req)
    local task = perigee.spawn(perigee.run, "jobs", req.params.name)
    while not shared:get("began") do perigee.sleep(0.001) end
    shared:delete("began")
    task:cancel()
    local _, err = task:wait()
    return err:match("^[^\n]*")
  end)
  app:get("/crowd", function()
    local tasks, told, sum = {}, {}, 0
    for i = 1, 20 do
      tasks[i] = perigee.spawn(function()
        local value, err = perigee.run("jobs", "held")
        sum, told[#told + 1] = sum + (value or 0), err
      end)
    end
    perigee.sleep(0)
    local refused = #told
    shared:set("go", true)
    for i = 1, 20 do tasks[i]:wait() end
    return sum .. " " .. refused .. " " .. tostring(told[1])
  end)
  return app
)";

constexpr const char* kJobs = R"(
  local perigee = require "perigee"
  local shared = perigee.shared("notes")
  local M = {}
  function M.one() return 1 end
  function M.held() while not shared:get("go") do end return 1 end
  function M.endless() shared:set("began", true) while true do pcall(M.one) end end
  function M.waits() shared:set("began", true) perigee.sleep(1e6) end
  return M
)";

/// An app that has jobs, on one background thread where nothing else is said.
class Jobs {
 public:
  explicit Jobs(Options options = {}) {
    options.app = scratch_.file("app.lua", kApp);
    (void)scratch_.file("jobs.lua", kJobs);
    options.background_threads = 1;
    TestApp::Settings settings;
    settings.watchdog = &watchdog_;
    app_ = *TestApp::open(options, settings);
    client_ = std::make_unique<TestClient>(*app_);
  }
  ~Jobs() { client_.reset(); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  void ask(std::string_view path) {
    REQUIRE(client_->send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n", false));
  }
  std::string answer() {
    const Milliseconds latest = real_ms() + 20'000;
    client_->receive();
    while (client_->answer().state() != http::AnswerReader::State::kDone && real_ms() < latest) {
      client_->wait(latest - real_ms());
      client_->receive();
    }
    return std::string(client_->answer().body());
  }
  std::string answer_to(std::string_view path) {
    ask(path);
    return answer();
  }
  void turn() { (void)app_->turn(0); }

 private:
  Scratch scratch_;
  Watchdog watchdog_;
  std::unique_ptr<TestApp> app_;
  std::unique_ptr<TestClient> client_;
};

}  // namespace

TEST_CASE("background: a job's result reaches who asked") {
  Jobs jobs;
  CHECK(jobs.answer_to("/run/one") == "true 1 nil");
  CHECK(jobs.answer_to("/run/one") == "true 1 nil");
}

TEST_CASE("background: a job that was given up is stopped, and its thread does the next", "[stop]") {
  Jobs jobs;
  CHECK(jobs.answer_to("/give-up/endless") == "cancelled");
  CHECK(jobs.answer_to("/give-up/waits") == "cancelled");
  CHECK(jobs.answer_to("/run/one") == "true 1 nil");
}

TEST_CASE("background: a job over its time ends", "[stop]") {
  Options options;
  options.background_cpu = 0.05;
  Jobs jobs(options);
  CHECK_THAT(jobs.answer_to("/run/endless"), Catch::Contains("over its CPU limit of 0.05 s"));
  CHECK(jobs.answer_to("/run/one") == "true 1 nil");
}

TEST_CASE("background: what does not fit into the queue is told so") {
  Options options;
  options.background_queue = 4;
  Jobs jobs(options);
  CHECK(jobs.answer_to("/crowd") == "5 15 full: too many jobs wait for their turn (background.queue)");
  options.background_queue = 0;
  Jobs none(options);
  CHECK(none.answer_to("/crowd") == "1 19 full: too many jobs wait for their turn (background.queue)");
}

TEST_CASE("background: it ends while jobs run and wait", "[stop]") {
  const std::string job = GENERATE("/run/endless", "/run/waits", "/run/one");
  Jobs jobs;
  if (job != "/run/one") {
    CHECK(jobs.answer_to("/give-up/" + job.substr(5)) == "cancelled");
  }
  jobs.ask(job);
  jobs.turn();
}
