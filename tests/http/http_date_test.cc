#include "http/http_date.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/response.h"

using perigee::http::parse_http_date;

namespace {

constexpr std::time_t kNow = 1'700'000'000;  // November 2023

}  // namespace

TEST_CASE("http date: all three forms of RFC 9110 name the same second") {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    CHECK(parse_http_date(text, kNow) == 784111777);
  }
  CHECK(parse_http_date("Tue Nov 16 08:49:37 1999", kNow) == 942742177);
}

TEST_CASE("http date: what http_date() writes is read back") {
  for (const std::time_t time : {std::time_t{0}, std::time_t{951'782'400}, kNow, std::time_t{4'102'444'799}}) {
    CHECK(parse_http_date(perigee::http::http_date(time), kNow) == time);
  }
}

TEST_CASE("http date: two digits of a year mean the one within fifty years") {
  CHECK(parse_http_date("Sunday, 06-Nov-73 08:49:37 GMT", kNow) ==
        parse_http_date("Sun, 06 Nov 2073 08:49:37 GMT", kNow));
  CHECK(parse_http_date("Sunday, 06-Nov-74 08:49:37 GMT", kNow) ==
        parse_http_date("Sun, 06 Nov 1974 08:49:37 GMT", kNow));
}

TEST_CASE("http date: anything else is none") {
  for (const char* text :
       {"", "now", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 29 Feb 1995 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, -6 Nov 1994 08:49:37 GMT", "784111777", "Sun, 06 Nov 99999 08:49:37 GMT"}) {
    CHECK_FALSE(parse_http_date(text, kNow));
  }
}
