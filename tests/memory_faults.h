#pragma once

#include <cstdlib>
#include <new>

// Replaces the program's operators new and delete, so that memory ends at an allocation that a test names. For one file
// of a program.

namespace memory_faults {

constexpr int kAll = -1;
inline thread_local int left = kAll;    ///< allocations of this thread until memory ends; kAll: it does not
inline thread_local bool once = false;  ///< it ends for one allocation only

/// The running thread's allocation number `number`, counted from 1 here on, fails; the others do not.
inline void fail_once(int number) {
  left = number;
  once = true;
}

/// From here on none of the running thread's fails.
inline void fail_none() {
  left = kAll;
  once = false;
}

/// Runs an operation with memory for so many allocations less one. True: that was enough.
template <typename Operation>
bool enough(int allocations, const Operation& operation) {
  left = allocations;
  try {
    operation();
  } catch (const std::bad_alloc&) {
    fail_none();
    return false;
  }
  fail_none();
  return true;
}

}  // namespace memory_faults

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (memory_faults::left > 0) {
    --memory_faults::left;
  }
  void* block = memory_faults::left == 0 ? nullptr : std::malloc(size);
  if (block == nullptr) {
    memory_faults::left = memory_faults::once ? memory_faults::kAll : 0;
    throw std::bad_alloc();
  }
  return block;
}

// All of them, so that each is freed as it was made.
void* operator new[](std::size_t size) {
  return operator new(size);
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}

[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}

[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

void operator delete[](void* block) noexcept {
  std::free(block);
}

void operator delete[](void* block, std::size_t) noexcept {
  std::free(block);
}
