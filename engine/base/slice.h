#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perigee {

/// Bytes owned by somebody else, laid out as C sees them so that Lua's FFI can read them.
struct Slice {
  const char* data = nullptr;
  std::uint32_t size = 0;

  [[nodiscard]] std::string_view view() const { return {data, size}; }
  static Slice of(std::string_view text) { return {text.data(), static_cast<std::uint32_t>(text.size())}; }
};

/// Bytes within a buffer that may move: an offset from its base and a length.
struct Span {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;

  [[nodiscard]] std::string_view in(const char* base) const { return {base + offset, size}; }
};

}  // namespace perigee
