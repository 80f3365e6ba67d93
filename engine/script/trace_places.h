#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

struct lua_State;

namespace perigee::script {

/// Where the traces of a VM start, and where their machine code lies: what can be told of compiled code that can't be
/// brought back to the interpreter. It follows the compiler by LuaJIT's own interface, jit.attach and jit.util. It
/// belongs to a VM; that VM's thread only.
class TracePlaces {
 public:
  struct Place {
    std::string source;  ///< as the VM knows it: "@lua/app.lua"
    int line = 0;
    int first_line = 0;  ///< of the function
  };

  /// Follows what the VM compiles from here on. REQUIRES: its libraries are open. In a function that may raise.
  void watch(lua_State* main);

  /// Reads what has been compiled since. `running` may call functions; nothing is raised.
  void update(lua_State* running) noexcept;

  /// The trace whose machine code holds an address; 0: none that is known.
  [[nodiscard]] std::int32_t number_at(std::uintptr_t address) const noexcept;

  /// Where a trace starts. Of one that begins at the exit of another, or after a call that is not compiled: where the
  /// loop or function starts that it leads to or comes from. Null: not known.
  [[nodiscard]] const Place* start_of(std::int32_t number) const noexcept;

  /// Whether an address may be in the machine code of a trace. In signal handlers, too.
  [[nodiscard]] bool may_hold(std::uintptr_t address) const noexcept {
    return address >= low_.load(std::memory_order_relaxed) && address < high_.load(std::memory_order_relaxed);
  }

 private:
  struct Trace {
    Place start;               // no line: not known
    std::int32_t belongs = 0;  // to this trace, whose start is its; 0: to none
    std::uintptr_t code = 0;   // where it begins
    bool goes_on = false;      // in another trace, after a call
  };
  struct Code {
    std::uintptr_t end;
    std::int32_t number;
  };

  static int on_record(lua_State* state);
  static int read(lua_State* state);
  void begin(std::int32_t number) noexcept;
  void note(lua_State* state, const void* function);
  void keep(lua_State* state);
  void keep_code(std::uintptr_t begin, std::uintptr_t end);
  [[nodiscard]] std::int32_t predecessor(lua_State* state) const;

  int functions_ref_ = 0;           // those in which the trace was recorded
  int read_ref_ = 0;                // the function that reads a trace
  int link_ref_ = 0;                // and the one that says what a trace links to
  std::int32_t last_ = 0;           // the trace that was recorded last, while it is not read; 0: none
  const void* function_ = nullptr;  // in which that was noted last
  int functions_ = 0;               // how many were noted
  bool reading_ = false;
  std::unordered_map<std::int32_t, Trace> traces_;
  std::map<std::uintptr_t, Code> code_;  // by where it begins
  std::atomic<std::uintptr_t> low_{UINTPTR_MAX};
  std::atomic<std::uintptr_t> high_{0};
};

}  // namespace perigee::script
