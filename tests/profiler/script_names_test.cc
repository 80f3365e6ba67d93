#include "profiler/script_names.h"

#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace perigee::profiler;

TEST_CASE("script names: a definition's line says the name") {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"local function render(rows)", "render"},
      {"function M.page(req)", "M.page"},
      {"  function Class:method()", "Class:method"},
      {"M.page = function(req)", "M.page"},
      {"  local handler = function()", "handler"},
      {"app:get(\"/users/{id}\", function(req)", "get \"/users/{id}\""},
      {"app:get('/', { query = q }, function(req)", "get \"/\""},
      {"return function(x)", ""},
      {"list:sort(function(a, b)", ""},
      {"", ""},
      {std::string(100000, '('), ""}};
  for (const auto& [line, expected] : lines) {
    CHECK(defined_name(std::string_view(line).substr(0, 1000)) == expected);
  }
}

TEST_CASE("script names: a function is named by its file, else by its caller, else by its place") {
  const std::string file = std::filesystem::temp_directory_path() / ("names." + std::to_string(getpid()) + ".lua");
  std::ofstream(file) << "local function render()\nend\nreturn function()\nend\n";
  ScriptNames names;
  CHECK(names.of({"@" + file, "called", 2, 1}) == "render");
  CHECK(names.of({"@" + file, "other", 1, 1}) == "render");
  CHECK(names.of({"@" + file, "called", 4, 3}) == "called");
  CHECK(names.of({"@" + file, "", 99, 98}) == std::filesystem::path(file).filename().string() + ":98");
  CHECK(names.of({"@gone/app.lua", "", 7, 5}) == "app.lua:5");
  CHECK(names.of({"@gone/app.lua", "", 1, 0}) == "main chunk of app.lua");
  CHECK(names.of({"=(made)", "", 3, 2}) == "(made):2");
  CHECK(names.of({"return 1", "", 3, 2}) == "(load):2");
  std::filesystem::remove(file);
}
