#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

struct lua_State;
struct lua_Debug;

namespace perigee::script {

/// How often each line of a file ran, by line from 1; 0 for lines that did not, or hold no code.
using LineCounts = std::vector<std::uint64_t>;

/// Counts the lines that run in the VMs it watches, of files that were loaded from the disk. While one watches, the VM
/// compiles nothing and stops at each line: it is some fifty times slower.
class Coverage {
 public:
  /// What all VMs have counted, by file. Any thread.
  class Total {
   public:
    void add(const std::map<std::string, LineCounts>& files);
    [[nodiscard]] std::map<std::string, LineCounts> files() const;

   private:
    mutable std::mutex mutex_;
    std::map<std::string, LineCounts> files_;  // guarded by mutex_
  };

  explicit Coverage(Total& total) : total_(total) {}
  /// Adds what was counted to the total.
  ~Coverage();
  Coverage(const Coverage&) = delete;
  Coverage& operator=(const Coverage&) = delete;

  /// Watches a VM from here on. REQUIRES: the VM is this one's for as long as it runs.
  void watch(lua_State* state);

 private:
  static void on_line(lua_State* state, lua_Debug* record);
  void count(lua_State* state, lua_Debug* record);

  Total& total_;
  std::map<std::string, LineCounts> files_;
  std::string last_source_;     // of the line before
  LineCounts* last_ = nullptr;  // null: a source that is not counted
};

/// The lines of a Lua file that hold code, in order, as debug.getinfo(f, "L") has them for the file and every function
/// in it; none where it does not compile.
[[nodiscard]] std::vector<int> active_lines(const std::string& path);

}  // namespace perigee::script
