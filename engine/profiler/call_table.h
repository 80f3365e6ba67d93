#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profiler/place_table.h"
#include "profiler/profile.h"

namespace perigee::profiler {

/// What was counted of one function: all its calls together, what it did itself and not what it called.
struct CallCount {
  std::int64_t nanoseconds = 0;  ///< of time, garbage collection included
  std::uint64_t bytes = 0;       ///< that it allocated
  std::uint64_t calls = 0;
};

/// The calls of every function while they are counted, and the functions there are. One thread at a time.
class CallTable {
 public:
  /// Adds to a function's count. A function is told by its source and first line, one in C by its name.
  void add(const ScriptPlace& function, const CallCount& count);
  /// A function of the program, called or not.
  void know(const std::string& source, std::int32_t first_line);
  /// Adds what one VM counted, a line for each function: source, first line, name, nanoseconds, bytes, calls, with tabs
  /// between. Other lines are passed over.
  void read_counts(std::string_view text);
  /// know() for each line of a source, a tab and a first line.
  void read_functions(std::string_view text);
  /// Takes the time that the collector had, below each function, from a CPU profile of the same time.
  void take_collections(const Profile& profile);

  /// `seconds | gc | consed | calls | sec/call | name`, most seconds first, at most `rows`; then the functions that
  /// were never called.
  [[nodiscard]] std::string text(std::size_t rows) const;

 private:
  struct Row {
    CallCount count;
    std::string name;
    std::int64_t gc = 0;  // nanoseconds of the collector, in count.nanoseconds
  };
  using Key = std::pair<std::string, std::int32_t>;  // file, first line; of a function in C its name, 0

  [[nodiscard]] static Key key_of(const ScriptPlace& function);
  void write_rows(std::string& out, std::size_t rows) const;
  void write_uncalled(std::string& out) const;

  std::map<Key, Row> rows_;
  std::vector<Key> known_;
};

}  // namespace perigee::profiler
