#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace perigee::profiler {

/// Where a thread was interrupted, or where a walk goes on.
struct Registers {
  std::uintptr_t pc = 0;
  std::uintptr_t frame = 0;  ///< the frame pointer
  std::uintptr_t stack = 0;  ///< the stack pointer: no frame lies below
};

/// Writes the code addresses from the innermost on, `from.pc` first, along the chain of frame pointers; the others are
/// return addresses. Ends where the chain leaves [from.stack, stack_end), does not rise, or `out` is full. Reads
/// nothing outside of the stack, so that code without frame pointers costs frames and never a fault. Returns how many
/// there are. Async-signal-safe.
[[nodiscard]] inline std::size_t walk_stack(Registers from, std::uintptr_t stack_end,
                                            std::span<std::uintptr_t> out) noexcept
    __attribute__((no_sanitize("address", "thread")));

inline std::size_t walk_stack(Registers from, std::uintptr_t stack_end, std::span<std::uintptr_t> out) noexcept {
  constexpr std::uintptr_t kLeastCode = 0x1000;  // nothing is mapped below
  std::size_t count = 0;
  if (count < out.size() && from.pc >= kLeastCode) {
    out[count++] = from.pc;
  }
  std::uintptr_t low = from.stack;
  std::uintptr_t frame = from.frame;
  while (count < out.size() && frame >= low && frame % sizeof frame == 0 && frame < stack_end &&
         stack_end - frame >= 2 * sizeof frame) {
    const auto* words = reinterpret_cast<const std::uintptr_t*>(frame);  // the caller's frame, the return address
    if (words[1] < kLeastCode) {
      break;
    }
    out[count++] = words[1];
    low = frame + 2 * sizeof frame;
    frame = words[0];
  }
  return count;
}

}  // namespace perigee::profiler
