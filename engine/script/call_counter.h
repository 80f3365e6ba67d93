#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

struct lua_State;
struct lua_Debug;

namespace perigee::script {

class LuaAllocator;

/// Counts every call in one VM: how often, how long, how much was allocated. The compiler is off meanwhile, and
/// everything is many times slower: for development. It belongs to the VM, whose thread alone touches it; one a thread
/// counts.
class CallCounter {
 public:
  explicit CallCounter(lua_State* main);
  CallCounter(const CallCounter&) = delete;
  CallCounter& operator=(const CallCounter&) = delete;
  /// Counts no more. The VM may be closing: nothing in it is touched.
  ~CallCounter();

  void begin();
  /// The VM is as it was before begin().
  void end();

  /// What was counted, a line for each function: source, first line, name, nanoseconds of its own, bytes, calls, with
  /// tabs between. Of a function in C the source is "=[C]".
  [[nodiscard]] std::string text() const;

 private:
  struct Function {
    std::string source;
    std::string name;
    std::int32_t first_line = 0;
    std::int64_t nanoseconds = 0;
    std::uint64_t bytes = 0;
    std::uint64_t calls = 0;
  };

  static void on_hook(lua_State* state, lua_Debug* event);
  void note(lua_State* state, lua_Debug* event);
  void charge();
  [[nodiscard]] Function* at_level(lua_State* state, int level);

  lua_State* main_;
  LuaAllocator* allocator_;
  std::unordered_map<std::string, Function> functions_;  // by source and first line, or by name
  Function* now_ = nullptr;                              // what runs since the last event
  std::string key_;
  std::uint64_t stay_ = 0;   // of the last event
  std::int64_t since_ = 0;   // its time
  std::uint64_t bytes_ = 0;  // allocated by then
};

}  // namespace perigee::script
