#include "profiler/error_report.h"

#include <catch2/catch.hpp>

using perigee::profiler::ErrorDesk;
using perigee::profiler::errors_json;
using perigee::profiler::errors_summary;

TEST_CASE("error report: none is an empty list, and no line") {
  const ErrorDesk desk;
  CHECK(errors_json(desk) == R"({"errors":[],"total":0,"ignored":0,"forgotten_kinds":0})");
  CHECK(errors_summary(desk).empty());
}

TEST_CASE("error report: an error is shown with all that is known") {
  ErrorDesk desk;
  desk.note({"no \"x\" 1\nstack traceback:\n\tt", "GET /{a}", "h.example", "GET /1"});
  desk.note({"other", "", "", ""});
  desk.note({"no \"y\" 2", "GET /{a}", "", ""});
  const std::string json = errors_json(desk);
  CHECK(json.find(R"({"errors":[{"signature":"no \"*\" #","message":"no \"x\" 1","count":2,"first_seen":)") == 0);
  CHECK(json.find(R"("routes":{"GET /{a}":2},"hosts":{"h.example":1},"traceback":"stack traceback:\n\tt",)"
                  R"("sample":"GET /1"},{"signature":"other")") != std::string::npos);
  CHECK(json.find(R"("total":3,"ignored":0,"forgotten_kinds":0})") != std::string::npos);
  CHECK(errors_summary(desk) == "errors since the start: 3 of 2 kinds, 0 ignored; most often (2): no \"*\" #");
}
