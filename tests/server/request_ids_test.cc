#include "server/request_ids.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

using perigee::server::request_id_text;

TEST_CASE("request ids: one is 20 hex digits: the process, the worker, the request") {
  const auto [worker, request, end] = GENERATE(table<int, double, std::string>({
      {0, 0, "000000000000"},
      {1, 1, "010000000001"},
      {255, 4294967296.0, "ff0100000000"},
      {256, 7, "000000000007"},
      {3, 1099511627775.0, "03ffffffffff"},
  }));
  const std::string id = request_id_text(worker, request);
  CHECK(id.size() == 20);
  CHECK(id.ends_with(end));
  CHECK(id.substr(0, 8) == request_id_text(0, 0).substr(0, 8));
  CHECK(std::all_of(id.begin(), id.end(),
                    [](char c) { return std::string("0123456789abcdef").find(c) != std::string::npos; }));
}

TEST_CASE("request ids: no two requests of a process share one") {
  std::set<std::string> ids;
  for (int worker = 0; worker < 4; ++worker) {
    for (int request = 0; request < 1000; ++request) {
      ids.insert(request_id_text(worker, request));
    }
  }
  CHECK(ids.size() == 4000);
}
