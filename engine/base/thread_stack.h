#pragma once

#include <cstddef>

namespace perigee {

/// What a Lua coroutine can need of the C stack at the worst: LuaJIT bounds the Lua stack, and each of its levels may be a
/// C function calling back (string.gsub takes over 8 KiB).
constexpr std::size_t kLuaStack = std::size_t{64} << 20;

/// Gives the threads that start from now on stacks of `bytes`, of which only what is touched takes memory.
void set_thread_stack(std::size_t bytes);

/// Whether the running thread's stack has less left than `bytes`, or than half of it where it is a small one.
[[nodiscard]] bool stack_is_low(std::size_t bytes);

}  // namespace perigee
