#include "http/preconditions.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/head_scanner.h"
#include "http/response.h"

namespace {

using perigee::http::http_date;

constexpr std::time_t kNow = 1'700'000'000;
constexpr std::time_t kChanged = kNow - 1000;

struct Asked {
  explicit Asked(const std::string& fields, const std::string& method = "GET")
      : bytes(method + " / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n") {
    perigee::http::HeadScanner scanner;
    REQUIRE(scanner.scan(bytes.data(), bytes.size(), {}, head) == perigee::http::HeadScanner::Verdict::kComplete);
  }
  std::string bytes;
  perigee::http::RequestHead head;
};

std::string verdict(const std::string& fields, const std::string& method = "GET") {
  const Asked asked(fields, method);
  switch (perigee::http::evaluate_preconditions(asked.head, {"\"v1\"", kChanged}, kNow)) {
    case perigee::http::Precondition::kHolds:
      return "holds";
    case perigee::http::Precondition::kNotModified:
      return "304";
    case perigee::http::Precondition::kFails:
      return "412";
  }
  return "";
}

bool ranges(const std::string& fields, const std::string& method = "GET", std::time_t now = kNow) {
  return perigee::http::range_applies(Asked(fields, method).head, {"\"v1\"", kChanged}, now);
}

std::string dated(const std::string& name, std::time_t time) {
  return name + ": " + http_date(time) + "\r\n";
}

}  // namespace

TEST_CASE("preconditions: If-None-Match compares weakly, over lists and lines") {
  for (const char* value : {"\"v1\"", "W/\"v1\"", "*", "\"a\", \"v1\"", "\"a\",W/\"b\" , \"v1\"", "\"a,b\", \"v1\""}) {
    CHECK(verdict("If-None-Match: " + std::string(value) + "\r\n") == "304");
    CHECK(verdict("If-None-Match: " + std::string(value) + "\r\n", "HEAD") == "304");
    CHECK(verdict("If-None-Match: " + std::string(value) + "\r\n", "PUT") == "412");
  }
  CHECK(verdict("If-None-Match: \"a\"\r\nIf-None-Match: \"v1\"\r\n") == "304");
  for (const char* value : {"\"v2\"", "v1", "\"v1", "w/\"v1\"", "", "\"*\"", "\"a\" garbage \"v1\""}) {
    CHECK(verdict("If-None-Match: " + std::string(value) + "\r\n") == "holds");
  }
}

TEST_CASE("preconditions: If-Match compares strongly") {
  CHECK(verdict("If-Match: \"v1\"\r\n") == "holds");
  CHECK(verdict("If-Match: *\r\n") == "holds");
  CHECK(verdict("If-Match: \"x\", \"v1\"\r\n") == "holds");
  for (const char* value : {"W/\"v1\"", "\"v2\"", "", "v1"}) {
    CHECK(verdict("If-Match: " + std::string(value) + "\r\n") == "412");
  }
}

TEST_CASE("preconditions: dates count to the second, and one that is none counts for nothing") {
  CHECK(verdict(dated("If-Modified-Since", kChanged)) == "304");
  CHECK(verdict(dated("If-Modified-Since", kNow)) == "304");
  CHECK(verdict(dated("If-Modified-Since", kChanged - 1)) == "holds");
  CHECK(verdict(dated("If-Modified-Since", kNow + 60)) == "holds");
  CHECK(verdict(dated("If-Modified-Since", kChanged), "POST") == "holds");
  CHECK(verdict("If-Modified-Since: yesterday\r\n") == "holds");
  CHECK(verdict(dated("If-Unmodified-Since", kChanged)) == "holds");
  CHECK(verdict(dated("If-Unmodified-Since", kChanged - 1)) == "412");
  CHECK(verdict("If-Unmodified-Since: yesterday\r\n") == "holds");
}

TEST_CASE("preconditions: tags go before dates, and If-Match before all") {
  CHECK(verdict("If-None-Match: \"v2\"\r\n" + dated("If-Modified-Since", kNow)) == "holds");
  CHECK(verdict("If-Match: \"v1\"\r\n" + dated("If-Unmodified-Since", 0)) == "holds");
  CHECK(verdict("If-Match: \"v2\"\r\nIf-None-Match: \"v1\"\r\n") == "412");
  CHECK(verdict("If-Match: \"v1\"\r\nIf-None-Match: \"v1\"\r\n") == "304");
}

TEST_CASE("preconditions: If-Range wants the current state exactly") {
  const std::string range = "Range: bytes=0-1\r\n";
  CHECK_FALSE(ranges(""));
  CHECK(ranges(range));
  CHECK_FALSE(ranges(range, "HEAD"));
  CHECK_FALSE(ranges(range, "POST"));
  CHECK(ranges(range + "If-Range: \"v1\"\r\n"));
  CHECK_FALSE(ranges(range + "If-Range: W/\"v1\"\r\n"));
  CHECK_FALSE(ranges(range + "If-Range: \"v2\"\r\n"));
  CHECK_FALSE(ranges(range + "If-Range: \"v2\", \"v1\"\r\n"));
  CHECK(ranges(range + dated("If-Range", kChanged)));
  CHECK_FALSE(ranges(range + dated("If-Range", kChanged + 1)));
  CHECK_FALSE(ranges(range + dated("If-Range", kChanged), "GET", kChanged));
  CHECK_FALSE(ranges(range + "If-Range: garbage\r\n"));
}
