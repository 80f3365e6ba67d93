#include "server/log_line.h"

#include <catch2/catch.hpp>

using namespace perigee::server;
using namespace std::string_literals;
using perigee::LogLevel;

namespace {

constexpr std::int64_t kTime = 1'719'792'000'042;

struct Case {
  std::string message;
  std::string fields;
  std::string id;
  std::string text;
  std::string json;
};

}  // namespace

TEST_CASE("log line: an event is one line, as text and as JSON") {
  const Case c = GENERATE(values<Case>({
      {"hello", "", "", "warn hello", R"("message":"hello")"},
      {"", "", "", "warn ", R"("message":"")"},
      {"hello", "", "r-1", "warn [r-1] hello", R"("message":"hello","id":"r-1")"},
      {"a\nb\tc\r\n", "", "", R"(warn a\nb\tc\r\n)", R"("message":"a\nb\tc\r\n")"},
      {"back\\n \"q\"", "", "", R"(warn back\\n "q")", R"("message":"back\\n \"q\"")"},
      {"\x1b[2J\0"s, "", "", R"(warn \x1b[2J\x00)", R"("message":"\u001b[2J\u0000")"},
      {"\xff\u2028\u00e9", "", "", "warn \\xff\\xe2\\x80\\xa8\u00e9", "\"message\":\"\\ufffd\\u2028\u00e9\""},
      {"m", "", "i\nd", R"(warn [i\nd] m)", R"("message":"m","id":"i\nd")"},
      {"m", R"({"a":1,"b":{"c":[1,2]}})", "", R"(warn m {"a":1,"b":{"c":[1,2]}})",
       R"("message":"m","a":1,"b":{"c":[1,2]})"},
      {"m", "{\n \"a\" : 1 ,\n\t\"b\":\"x\" }\n", "", "warn m {  \"a\" : 1 ,  \"b\":\"x\" } ",
       R"("message":"m","a":1,"b":"x")"},
      {"m", "{}", "", "warn m {}", R"("message":"m")"},
      {"m", R"({"message":1,"time":2,"level":3,"id":4,"times":5})", "x",
       R"(warn [x] m {"message":1,"time":2,"level":3,"id":4,"times":5})",
       R"("message":"m","id":"x","message_":1,"time_":2,"level_":3,"id_":4,"times":5)"},
      {"m", R"({"a":",}]\"","b":"{"})", "", R"(warn m {"a":",}]\"","b":"{"})", R"("message":"m","a":",}]\"","b":"{")"},
      {"m", "{\"\xff\":\"\u2028\u00e9\"}", "", "warn m {\"\\ufffd\":\"\\u2028\u00e9\"}",
       "\"message\":\"m\",\"\\ufffd\":\"\\u2028\u00e9\""},
  }));
  const LogEvent event{kTime, LogLevel::kWarn, c.message, c.fields, c.id};
  CHECK(log_line(LogFormat::kText, event) == "2024-07-01T00:00:00.042Z " + c.text);
  CHECK(log_line(LogFormat::kJson, event) == R"({"time":"2024-07-01T00:00:00.042Z","level":"warn",)" + c.json + "}");
}

TEST_CASE("log line: fields that are no object stay, as a string") {
  const std::string fields =
      GENERATE(values<std::string>({"[1]", "x", "{", "}", "{1}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}",
                                    "{\"a\":[}", "{\"a\":]}", "{\"a\":\"}", "{\"a\":1}}", "{a:1}", "{\"a\\\":1}"}));
  const std::string line = log_line(LogFormat::kJson, {kTime, LogLevel::kInfo, "m", fields, ""});
  CAPTURE(fields, line);
  CHECK(line.find("\"message\":\"m\",\"fields\":\"") != std::string::npos);
}

TEST_CASE("log line: each level has its name") {
  const auto [level, name] = GENERATE(table<LogLevel, std::string>({
      {LogLevel::kDebug, "debug"},
      {LogLevel::kInfo, "info"},
      {LogLevel::kWarn, "warn"},
      {LogLevel::kError, "error"},
  }));
  CHECK(log_line(LogFormat::kText, {kTime, level, "m", "", ""}) == "2024-07-01T00:00:00.042Z " + name + " m");
}

TEST_CASE("log line: a long message is not cut") {
  const std::string message(1 << 20, 'x');
  CHECK(log_line(LogFormat::kText, {kTime, LogLevel::kInfo, message, "", ""}).ends_with("info " + message));
}
