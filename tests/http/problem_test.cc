#include "http/problem.h"

#include <catch2/catch.hpp>

using perigee::http::problem_json;

TEST_CASE("problem: title and status always, detail and request id when there are any") {
  CHECK(problem_json(404, "", "") == R"({"title":"Not Found","status":404})");
  CHECK(problem_json(400, "no \"x\"", "r-1") ==
        R"({"title":"Bad Request","status":400,"detail":"no \"x\"","request_id":"r-1"})");
}
