#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

struct lua_State;

namespace perigee::script {

/// Writes a Lua table as bytes that unpack_table() makes the same table of, in this or another VM: with all that
/// strings, numbers (exact), booleans, perigee.null and tables can be, keys and values. Metatables are left behind but
/// for perigee.array's mark; a table that is in two places becomes two. A packer lives for one table.
class TablePacker {
 public:
  static constexpr int kMaxDepth = 64;
  static constexpr std::size_t kMaxSize = 64 * 1024 * 1024;  ///< bytes of output

  TablePacker(lua_State* state, std::string& out) : state_(state), out_(out) {}

  /// Appends the table at `index`. False: error() says what can't be kept and where: "a function at $.items[3].f".
  /// Raises only when Lua runs out of memory; `out` must survive that.
  [[nodiscard]] bool pack(int index);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  [[nodiscard]] bool value(int index);
  [[nodiscard]] bool table(int index);
  [[nodiscard]] bool items(int index);
  [[nodiscard]] bool key(int index);
  void number(double value);
  void string(int index);
  void size(std::size_t value);
  [[nodiscard]] bool refuse(const char* what);
  [[nodiscard]] std::string path() const;

  struct Step {
    const void* table;
    std::string place;  // "[3]", ".name"
  };

  lua_State* state_;
  std::string& out_;
  std::string error_;
  std::array<Step, kMaxDepth> steps_;
  int depth_ = 0;
};

/// Pushes the table that `bytes` were packed of. Raises when Lua runs out of memory. REQUIRES: TablePacker wrote them.
void unpack_table(lua_State* state, std::string_view bytes);

}  // namespace perigee::script
