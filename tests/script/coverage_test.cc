#include "script/coverage.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

using perigee::script::active_lines;
using perigee::script::Coverage;
using perigee::script::LineCounts;

namespace {

std::vector<int> lines_of(const std::string& text) {
  const std::string path = (std::filesystem::temp_directory_path() / "perigee-coverage-test.lua").string();
  std::ofstream(path) << text;
  const std::vector<int> lines = active_lines(path);
  std::remove(path.c_str());
  return lines;
}

}  // namespace

TEST_CASE("coverage: the active lines are those with code, of functions too") {
  CHECK(lines_of("local x = 1\n\n-- a remark\nlocal function f()\n  return x\nend\nreturn f\n") ==
        std::vector<int>{1, 5, 6, 7});
  CHECK(lines_of("local x = = 1").empty());
  CHECK(active_lines("/nowhere.lua").empty());
}

TEST_CASE("coverage: the counts of several VMs are added up") {
  Coverage::Total total;
  total.add({{"a.lua", LineCounts{0, 1}}, {"b.lua", LineCounts{0, 2}}});
  total.add({{"a.lua", LineCounts{0, 2, 5}}});
  CHECK(total.files().at("a.lua") == LineCounts{0, 3, 5});
  CHECK(total.files().at("b.lua") == LineCounts{0, 2});
}
