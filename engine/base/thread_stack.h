#pragma once

#include <cstddef>
#include <cstdint>

namespace perigee {

/// What a Lua coroutine can need of the C stack at the worst: LuaJIT bounds the Lua stack, and each of its levels may
/// be a C function calling back (string.gsub takes over 8 KiB).
constexpr std::size_t kLuaStack = std::size_t{64} << 20;

/// What coroutines that run inside one another, and what runs below the first of them, may share beside that.
constexpr std::size_t kNestingStack = std::size_t{1} << 20;

/// Lets the main thread's stack grow to `bytes`, as far as the system allows, and gives threads that start from now on
/// stacks of that size; only what is touched takes memory. Main thread, before others start.
void set_thread_stack(std::size_t bytes);

/// Whether the running thread's stack has less left than `bytes`, or than half of it where it is smaller altogether.
[[nodiscard]] bool stack_is_low(std::size_t bytes);

/// The address behind the running thread's stack, which grows down from there; 0 if the system does not say.
[[nodiscard]] std::uintptr_t stack_end();

}  // namespace perigee
