#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

struct lua_State;

namespace perigee::script {

struct RawString;
struct RawTable;

/// A value as LuaJIT keeps it in 64 bits: a double, or a type above 47 bits of an address.
class RawValue {
 public:
  [[nodiscard]] bool is_nil() const { return bits_ == kNil; }
  [[nodiscard]] bool is_true() const { return type() == kTrue; }
  [[nodiscard]] bool is_false() const { return type() == kFalse; }
  [[nodiscard]] bool is_string() const { return type() == kString; }
  [[nodiscard]] bool is_table() const { return type() == kTable; }
  [[nodiscard]] bool is_number() const { return type() < kNumbers; }

  [[nodiscard]] double number() const { return std::bit_cast<double>(bits_); }
  [[nodiscard]] const RawString& string() const { return *static_cast<const RawString*>(address()); }
  [[nodiscard]] const RawTable& table() const { return *static_cast<const RawTable*>(address()); }
  [[nodiscard]] const void* address() const { return reinterpret_cast<const void*>(bits_ % kUnit); }
  [[nodiscard]] bool operator==(const RawValue& other) const = default;

  /// Whether it is what LuaJIT's interface says of the value at `index`.
  [[nodiscard]] bool agrees_with(lua_State* state, int index) const;

 private:
  static constexpr std::uint64_t kUnit = std::uint64_t{1} << 47;  // of a type
  static constexpr std::uint64_t kNil = ~std::uint64_t{0};
  static constexpr std::uint64_t kFalse = 0x1fffe;
  static constexpr std::uint64_t kTrue = 0x1fffd;
  static constexpr std::uint64_t kString = 0x1fffb;
  static constexpr std::uint64_t kTable = 0x1fff4;
  static constexpr std::uint64_t kNumbers = 0x1fff2;  // whatever is below

  [[nodiscard]] std::uint64_t type() const { return bits_ / kUnit; }

  std::uint64_t bits_ = kNil;
};

/// A string. Its bytes follow it.
struct RawString {
  std::uint64_t next;
  std::uint32_t kind, id, hash, size;

  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(this + 1), size}; }
};

}  // namespace perigee::script
