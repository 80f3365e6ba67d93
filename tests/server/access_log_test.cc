#include "server/access_log.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

#include "captured_log.h"
#include "scratch.h"

using namespace perigee::server;

namespace {

constexpr std::int64_t kTime = 1'719'792'000'042;

AccessRecord example() {
  AccessRecord record;
  record.time_ms = kTime;
  record.duration_us = 1'234'567;
  record.id = "0123abcd";
  record.remote = "192.0.2.7";
  record.method = "GET";
  record.target = "/users/7?x=1";
  record.path = "/users/7";
  record.version = "HTTP/1.1";
  record.route = "/users/{id:integer}";
  record.referer = "http://example.com/";
  record.agent = "curl/8.0";
  record.status = 200;
  record.bytes = 17;
  return record;
}

// What a log of `records` holds once everything is flushed.
std::string logged(AccessFormat format, const std::vector<AccessRecord>& records,
                   const std::vector<std::string>& skip = {}) {
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  const Scratch scratch;
  const auto writer = LogWriter::open(scratch.path("a.log"));
  REQUIRE(writer);
  {
    AccessLog log(**writer, format, skip);
    for (const AccessRecord& record : records) {
      log.write(record);
    }
  }
  (*writer)->stop();
  return Scratch::read(scratch.path("a.log"));
}

}  // namespace

TEST_CASE("access log: combined is Apache's combined, to the byte") {
  CHECK(logged(AccessFormat::kCombined, {example()}) ==
        "192.0.2.7 - - [01/Jul/2024:00:00:00 +0000] \"GET /users/7?x=1 HTTP/1.1\" 200 17 \"http://example.com/\" "
        "\"curl/8.0\"\n");
}

TEST_CASE("access log: json is one object a line") {
  CHECK(logged(AccessFormat::kJson, {example()}) ==
        R"({"time":"2024-07-01T00:00:00.042Z","id":"0123abcd","remote":"192.0.2.7","user":"","method":"GET",)"
        R"("target":"/users/7?x=1","version":"HTTP/1.1","status":200,"bytes":17,"duration_ms":1234.567,)"
        R"("referer":"http://example.com/","agent":"curl/8.0","route":"/users/{id:integer}"})"
        "\n");
}

TEST_CASE("access log: what a request did not have is a dash in combined and empty in json") {
  AccessRecord record;
  record.time_ms = kTime;
  record.status = 400;
  CHECK(logged(AccessFormat::kCombined, {record}) == "- - - [01/Jul/2024:00:00:00 +0000] \"-\" 400 - \"-\" \"-\"\n");
  CHECK(logged(AccessFormat::kJson, {record}) ==
        R"({"time":"2024-07-01T00:00:00.042Z","id":"","remote":"","user":"","method":"","target":"","version":"",)"
        R"("status":400,"bytes":0,"duration_ms":0.000,"referer":"","agent":"","route":""})"
        "\n");
}

TEST_CASE("access log: nothing that a client sends can end a field or a line") {
  AccessRecord record = example();
  record.user = "ada [now]\n";
  record.target = "/\"\x1b\xff";
  record.agent = "a\" 200 -\n\\u2028\u2028";
  CHECK(logged(AccessFormat::kCombined, {record}) ==
        "192.0.2.7 - ada\\x20[now]\\n [01/Jul/2024:00:00:00 +0000] \"GET /\\\"\\x1b\\xff HTTP/1.1\" 200 17 "
        "\"http://example.com/\" \"a\\\" 200 -\\n\\\\u2028\\xe2\\x80\\xa8\"\n");
  const std::string json = logged(AccessFormat::kJson, {record});
  CHECK(json.find(R"("user":"ada [now]\n",)") != std::string::npos);
  CHECK(json.find(R"("target":"/\"\u001b\ufffd",)") != std::string::npos);
  CHECK(json.find(R"("agent":"a\" 200 -\n\\u2028\u2028",)") != std::string::npos);
  CHECK(json.find('\n') == json.size() - 1);
}

TEST_CASE("access log: the time follows the record, second by second") {
  AccessRecord record;
  std::vector<AccessRecord> records;
  for (const std::int64_t time : {kTime, kTime + 900, kTime + 1000, kTime}) {
    record.time_ms = time;
    records.push_back(record);
  }
  const std::string lines = logged(AccessFormat::kJson, records);
  std::vector<std::string> times;
  for (std::size_t at = 0; (at = lines.find("2024", at)) != std::string::npos; ++at) {
    times.push_back(lines.substr(at + 17, 7));
  }
  CHECK(times == std::vector<std::string>{"00.042Z", "00.942Z", "01.042Z", "00.042Z"});
}

TEST_CASE("access log: paths on the skip list, and only those, have no line") {
  std::vector<AccessRecord> records;
  for (const char* path : {"/healthz", "/", "/healthz/", "/health", "/a"}) {
    records.push_back(example());
    records.back().path = records.back().target = path;
  }
  const std::string lines = logged(AccessFormat::kCombined, records, {"/healthz", "/a"});
  CHECK(lines.find("GET /healthz HTTP") == std::string::npos);
  CHECK(lines.find("GET /a HTTP") == std::string::npos);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
}

TEST_CASE("access log: a line is never cut, however long") {
  AccessRecord record = example();
  const std::string agent(300'000, 'x');
  record.agent = agent;
  CHECK(logged(AccessFormat::kCombined, {record, record}).size() > 600'000);
}

TEST_CASE("access log: a full buffer goes to the writer by itself, a flush sends what there is") {
  const CapturedLog events;
  const auto writer = LogWriter::open("/dev/full");
  REQUIRE(writer);
  AccessLog log(**writer, AccessFormat::kJson, {});
  const std::size_t size = logged(AccessFormat::kJson, {example()}).size();
  const std::size_t lines = AccessLog::kBufferBytes / size + 1;
  for (std::size_t i = 0; i < lines + 1; ++i) {
    log.write(example());
  }
  (*writer)->stop();
  CHECK((*writer)->failed_lines() == lines);
  log.flush();
  CHECK((*writer)->dropped_lines() == 1);
}
