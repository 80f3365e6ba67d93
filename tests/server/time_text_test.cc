#include "server/time_text.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

using namespace perigee::server;

TEST_CASE("time text: a second is written in UTC and in Apache's form, whatever the zone") {
  struct Case {
    const char* zone;
    std::int64_t seconds;
    const char* utc;
    const char* apache;
  };
  const Case c = GENERATE(values<Case>({
      {"UTC0", 0, "1970-01-01T00:00:00", "01/Jan/1970:00:00:00 +0000"},
      {"UTC0", 1'709'251'199, "2024-02-29T23:59:59", "29/Feb/2024:23:59:59 +0000"},
      {"CET-1CEST,M3.5.0,M10.5.0/3", 1'735'689'599, "2024-12-31T23:59:59", "01/Jan/2025:00:59:59 +0100"},
      {"CET-1CEST,M3.5.0,M10.5.0/3", 1'719'792'000, "2024-07-01T00:00:00", "01/Jul/2024:02:00:00 +0200"},
      {"<-0330>3:30", 1'719'792'000, "2024-07-01T00:00:00", "30/Jun/2024:20:30:00 -0330"},
      {"UTC0", 253'402'300'799, "9999-12-31T23:59:59", "31/Dec/9999:23:59:59 +0000"},
  }));
  ::setenv("TZ", c.zone, 1);
  ::tzset();
  CHECK(utc_second_text(c.seconds) == c.utc);
  CHECK(apache_second_text(c.seconds) == c.apache);
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("time text: milliseconds have three digits") {
  const auto [ms, expected] = GENERATE(table<std::int64_t, std::string>({
      {0, ".000Z"},
      {5, ".005Z"},
      {1'042, ".042Z"},
      {1'719'792'000'999, ".999Z"},
  }));
  std::string text;
  append_millisecond(text, ms);
  CHECK(text == expected);
}
