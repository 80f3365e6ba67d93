#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/byte_buffer.h"

struct lua_State;

namespace perigee::script {

/// Writes Lua values as JSON (RFC 8259), straight from the stack into a string. An encoder lives for one value.
///
/// A table is an array when its keys are 1..n or perigee.array marked it, an object when all keys are strings; an empty
/// one is {}. Numbers with an integral value within 2^53 are written as integers, others with the fewest digits that
/// read back the same.
class JsonEncoder {
 public:
  static constexpr int kMaxDepth = 256;
  static constexpr std::size_t kMaxSize = 64 * 1024 * 1024;  ///< bytes of output

  /// Empties a buffer that is used again and again, and gives its memory back where a text was unusually long.
  static void clear(ByteBuffer& buffer) {
    constexpr std::size_t kKept = 1024 * 1024;
    if (buffer.size() + buffer.room() > kKept) {
      buffer.release();
    } else {
      buffer.truncate(0);
    }
  }

  /// Appends to `out`. `max_depth` is at most kMaxDepth.
  JsonEncoder(lua_State* state, ByteBuffer& out, int max_depth) : state_(state), out_(out), max_depth_(max_depth) {}

  /// Appends the value at `index`. False: error() says what can't be written and where: "a function at $.items[3].f".
  /// Raises only when Lua runs out of memory; `out` must survive that.
  [[nodiscard]] bool encode(int index);

  /// The same by nothing but LuaJIT's interface, which encode() asks about what json_table.h does not write.
  [[nodiscard]] bool encode_stepwise(int index);

  /// The same, raising nothing. REQUIRES: `index` counts from 1, and the stack has three free slots for each level of
  /// the depth, and two more.
  [[nodiscard]] bool encode_here(int index) { return value(index); }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool encode_straight(int index);
  bool value(int index);
  bool table(int index);
  bool array_or_object(int index);
  bool array(int index, int count);
  bool object_entry(bool first);
  bool string(int index);
  bool number(double value);
  bool refuse(const char* what);
  void put(char byte) {
    *out_.reserve(1) = byte;
    out_.commit(1);
  }
  [[nodiscard]] std::string path() const;

  // What the value being written is inside of, for cycles and for error messages.
  struct Step {
    const void* table;
    const char* key;  // null in arrays
    std::size_t key_size;
    int position;
  };

  lua_State* state_;
  ByteBuffer& out_;
  std::string error_;
  std::array<Step, kMaxDepth> steps_;
  int depth_ = 0;
  int max_depth_;
};

}  // namespace perigee::script
