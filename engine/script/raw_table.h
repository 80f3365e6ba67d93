#pragma once

#include <cstdint>

#include "script/raw_value.h"

namespace perigee::script {

struct RawNode {
  RawValue value, key;
  std::uint64_t next;
};

/// A Lua table as it lies in memory, to be read without LuaJIT's interface, in which each value costs a hundred
/// instructions. What is read lasts until Lua runs again.
///
/// None of it is part of that interface. It is taken for what it is in LuaJIT 2.1 with 64-bit references, held against
/// what the interface says of some tables, and not used where the two differ.
struct RawTable {
  /// Readies the process; the first call does. Any thread. PERIGEE_UNKNOWN_LUAJIT calls it "table".
  static void calibrate();

  /// Whether tables can be read so.
  [[nodiscard]] static bool is_known() { return known_; }

  /// REQUIRES: is_known(), and a table at `index`.
  [[nodiscard]] static const RawTable& at(lua_State* state, int index);

  std::uint64_t next;
  std::uint32_t kind;
  const RawValue* slots;  ///< what stands under 0, 1, 2 ...
  std::uint64_t list;
  const void* metatable;  ///< null without
  const RawNode* nodes;   ///< what stands under other keys, in the order that lua_next() has; nil where nothing does
  std::uint32_t slot_count;
  std::uint32_t last_node;

 private:
  static bool known_;
};

}  // namespace perigee::script
