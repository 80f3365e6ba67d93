#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace perigee::profiler {

/// A place in a script.
struct ScriptPlace {
  std::string source;  ///< as the VM knows it: "@lua/app.lua"; "=[C]" of a native function
  std::string name;    ///< of the function, as far as it is known
  std::int32_t line = 0;
  std::int32_t first_line = 0;
};

/// Numbers the places of scripts, so that a stack is a row of numbers. Kept as long as it lives. Any thread.
class PlaceTable {
 public:
  PlaceTable() : known_{{"", "(unknown)", 0, 0}} {}

  /// The id of a place; 0, which is an unknown place, when there is no memory for it.
  [[nodiscard]] std::uint32_t id(std::string_view source, std::string_view name, std::int32_t line,
                                 std::int32_t first_line) noexcept;
  /// The place of an id; the unknown one for an id that was not given.
  [[nodiscard]] ScriptPlace place(std::uint32_t id) const;

 private:
  static constexpr std::size_t kMost = 65536;  // places; those after them are the unknown one

  mutable std::mutex mutex_;
  std::vector<ScriptPlace> known_;                                                                 // guarded by mutex_
  std::map<std::tuple<std::string, std::string, std::int32_t, std::int32_t>, std::uint32_t> ids_;  // guarded by mutex_
};

}  // namespace perigee::profiler
