#include "server/error_log.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

#include "scratch.h"

using namespace perigee::server;
using perigee::LogLevel;

namespace {

std::unique_ptr<ErrorLog> opened(const ErrorLog::Settings& settings) {
  auto log = ErrorLog::open(settings);
  REQUIRE(log);
  return std::move(*log);
}

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream text(Scratch::read(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("error log: an event is in the file, on one line, when write returns") {
  const Scratch scratch;
  const std::string path = scratch.path("e.log");
  const auto log = opened({LogLevel::kInfo, LogFormat::kText, path});
  log->write(LogLevel::kError, "lua/app.lua:3: oops\nstack traceback:\n\tlua/app.lua:3", R"({"n":1})", "id-7");
  REQUIRE(lines_of(path).size() == 1);
  CHECK(lines_of(path)[0].substr(24) ==
        R"( error [id-7] lua/app.lua:3: oops\nstack traceback:\n\tlua/app.lua:3 {"n":1})");
  CHECK(std::regex_search(lines_of(path)[0], std::regex(R"(^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ )")));
}

TEST_CASE("error log: json holds the same event") {
  const Scratch scratch;
  const std::string path = scratch.path("e.log");
  const auto log = opened({LogLevel::kInfo, LogFormat::kJson, path});
  log->write(LogLevel::kWarn, "100 % {} %v", R"({"n":1})", "id-7");
  REQUIRE(lines_of(path).size() == 1);
  CHECK(lines_of(path)[0].ends_with(R"(Z","level":"warn","message":"100 % {} %v","id":"id-7","n":1})"));
}

TEST_CASE("error log: events below its level are not written") {
  const Scratch scratch;
  const auto [level, written] = GENERATE(table<LogLevel, std::size_t>({
      {LogLevel::kDebug, 4},
      {LogLevel::kInfo, 3},
      {LogLevel::kWarn, 2},
      {LogLevel::kError, 1},
  }));
  const auto log = opened({level, LogFormat::kText, scratch.path("e.log")});
  std::size_t enabled = 0;
  for (const LogLevel each : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    enabled += log->enabled(each);
    log->write(each, "event");
  }
  CHECK(enabled == written);
  CHECK(lines_of(scratch.path("e.log")).size() == written);
}

TEST_CASE("error log: a long event is not cut") {
  const Scratch scratch;
  const auto log = opened({LogLevel::kInfo, LogFormat::kText, scratch.path("e.log")});
  log->write(LogLevel::kInfo, std::string(1 << 20, 'x'));
  CHECK(lines_of(scratch.path("e.log")).at(0).ends_with(" info " + std::string(1 << 20, 'x')));
}

TEST_CASE("error log: a target that cannot be opened is an error, and makes no folders") {
  const Scratch scratch;
  const std::string path = scratch.path("missing/e.log");
  const auto log = ErrorLog::open({LogLevel::kInfo, LogFormat::kText, path});
  REQUIRE_FALSE(log);
  CHECK(log.error().message == "cannot open the log '" + path + "': No such file or directory");
  CHECK_FALSE(std::filesystem::exists(scratch.path("missing")));
}

TEST_CASE("error log: reopening follows the path, and keeps the open file if that fails") {
  const Scratch scratch;
  const std::string path = scratch.path("e.log");
  const auto log = opened({LogLevel::kInfo, LogFormat::kText, path});
  log->write(LogLevel::kInfo, "one");
  std::filesystem::rename(path, path + ".1");
  REQUIRE(log->reopen());
  log->write(LogLevel::kInfo, "two");
  std::filesystem::rename(path, path + ".2");
  std::filesystem::create_directory(path);
  CHECK_FALSE(log->reopen());
  log->write(LogLevel::kInfo, "three");
  CHECK(lines_of(path + ".1").size() == 1);
  CHECK(lines_of(path + ".2").size() == 2);
}

TEST_CASE("error log: new settings are taken all together or not at all") {
  const Scratch scratch;
  const auto log = opened({LogLevel::kInfo, LogFormat::kText, scratch.path("e.log")});
  CHECK_FALSE(log->apply({LogLevel::kError, LogFormat::kJson, "/nowhere/e.log"}));
  log->write(LogLevel::kInfo, "one");
  REQUIRE(log->apply({LogLevel::kDebug, LogFormat::kJson, scratch.path("f.log")}));
  log->write(LogLevel::kDebug, "two");
  CHECK(lines_of(scratch.path("e.log")).at(0).ends_with(" info one"));
  CHECK(lines_of(scratch.path("f.log")).at(0).starts_with("{"));
}

TEST_CASE("error log: a full disk is counted and ends nothing") {
  const auto log = opened({LogLevel::kInfo, LogFormat::kText, "/dev/full"});
  log->write(LogLevel::kInfo, "one");
  log->write(LogLevel::kInfo, "two");
  CHECK(log->failed_lines() == 2);
}

TEST_CASE("error log: threads write whole lines while it is reopened and set anew") {
  const Scratch scratch;
  const std::string path = scratch.path("e.log");
  const auto log = opened({LogLevel::kInfo, LogFormat::kText, path});
  std::vector<std::thread> threads;
  for (int id = 0; id < 3; ++id) {
    threads.emplace_back([&log] {
      for (int i = 0; i < 300; ++i) {
        log->write(LogLevel::kInfo, "event", "{\"a\":1}", "id");
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    CHECK(log->reopen());
    CHECK(log->apply({LogLevel::kInfo, i % 2 == 0 ? LogFormat::kText : LogFormat::kJson, path}));
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::vector<std::string> lines = lines_of(path);
  CHECK(lines.size() == 900);
  CHECK(std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.ends_with("Z info [id] event {\"a\":1}") ||
           line.ends_with("\"message\":\"event\",\"id\":\"id\",\"a\":1}");
  }));
}

TEST_CASE("error log: its settings are those of [log]") {
  Options options;
  CHECK(ErrorLog::settings_of(options).level == LogLevel::kInfo);
  CHECK(ErrorLog::settings_of(options).format == LogFormat::kText);
  CHECK(ErrorLog::settings_of(options).target == "stderr");
  const auto [name, level] = GENERATE(table<std::string, LogLevel>({{"debug", LogLevel::kDebug},
                                                                    {"info", LogLevel::kInfo},
                                                                    {"warn", LogLevel::kWarn},
                                                                    {"error", LogLevel::kError}}));
  options.log_level = name;
  options.log_format = "json";
  options.log_error = "/var/log/perigee.log";
  CHECK(ErrorLog::settings_of(options).level == level);
  CHECK(ErrorLog::settings_of(options).format == LogFormat::kJson);
  CHECK(ErrorLog::settings_of(options).target == "/var/log/perigee.log");
}
