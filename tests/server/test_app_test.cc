#include "server/test_app.h"

#include <catch2/catch.hpp>

#include "scratch.h"
#include "test_client_answer.h"

using namespace perigee;
using namespace perigee::server;

namespace {

constexpr const char* kApp = R"(
  local perigee = require "perigee"
  local app = perigee.app()
  app:get("/", function() return "hello" end)
  app:get("/slow", function() perigee.sleep(0.01) return "slept" end)
  return app
)";

Result<std::unique_ptr<TestApp>> open(const Scratch& scratch, const char* text, bool served) {
  Options options;
  options.app = scratch.path("app.lua");
  options.listen = {"127.0.0.1:0"};
  (void)scratch.file("app.lua", text);
  TestApp::Settings settings;
  settings.served = served;
  settings.patience = 2000;
  return TestApp::open(options, settings);
}

}  // namespace

TEST_CASE("test app: it answers in memory and over a socket alike") {
  const bool served = GENERATE(false, true);
  const Scratch scratch;
  auto app = open(scratch, kApp, served);
  REQUIRE(app);
  CHECK((*app)->served() == served);
  TestClient client(**app);
  CHECK(answer_to(client, "/", 10'000) == "hello");
  CHECK(answer_to(client, "/slow", 10'000) == "slept");
  CHECK(answer_to(client, "/", 10'000) == "hello");
}

TEST_CASE("test app: one that does not load, or whose start hook fails or never ends, says so") {
  const Scratch scratch;
  const auto [text, part] = GENERATE(table<const char*, const char*>(
      {{"return 1", "must end with `return app`"},
       {"local app = require 'perigee'.app() app:start(function() error('no disk') end) return app", "no disk"},
       {"local p = require 'perigee' local app = p.app() app:start(function() p.sleep(1e6) end) return app",
        "did not end in time"}}));
  const auto app = open(scratch, text, false);
  REQUIRE_FALSE(app);
  CHECK_THAT(app.error().message, Catch::Contains(part));
}
