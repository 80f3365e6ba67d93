#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "profiler/place_table.h"

namespace perigee::profiler {

/// What the functions of a script are called. The VM knows a function by the name of whatever holds it where it is
/// called, so one may have many; its definition has one. One thread at a time.
class ScriptNames {
 public:
  /// The name of the function that a place is in: as its file's text defines it; else as it was called; else its file
  /// and first line, "app.lua:12".
  [[nodiscard]] const std::string& of(const ScriptPlace& place);

 private:
  [[nodiscard]] std::string find(const ScriptPlace& place);
  [[nodiscard]] std::string_view line_of(const std::string& file, std::int32_t line);

  std::unordered_map<std::string, std::vector<std::string>> files_;
  std::unordered_map<std::string, std::string> names_;
};

/// The name in the line of Lua that begins a function: "render" of `local function render(rows)`, "M.page" of
/// `M.page = function(req)`, `get "/users"` of `app:get("/users", function(req)`; empty if there is none.
[[nodiscard]] std::string defined_name(std::string_view line);

}  // namespace perigee::profiler
