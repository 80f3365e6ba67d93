#pragma once

#include "script/lua_allocator.h"

struct lua_State;

namespace perigee::script {

/// Counts the rounds of a VM's garbage collector: a block that nobody refers to goes with each of them, and the
/// allocator sees it go. An object with a finalizer would tell as well, but LuaJIT 2.1 also runs finalizers where it
/// leaves compiled code, for want of stack among others, and there an error ends the process. The VM's thread only.
class CollectionCounter {
 public:
  explicit CollectionCounter(LuaAllocator& memory) : memory_(memory) {}

  /// Whether a round has ended since begin().
  [[nodiscard]] bool has_ended() const { return memory_.watched() == nullptr; }

  /// Leaves the next block. May raise.
  void begin(lua_State* state);

 private:
  LuaAllocator& memory_;
};

}  // namespace perigee::script
