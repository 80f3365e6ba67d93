#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/counter.h"

namespace perigee::script {

/// The memory of one VM. Lua tells an allocator the size of what it frees, so small blocks need no headers and no
/// search: each size has a list of free blocks, cut from chunks that live as long as the VM. Large blocks are malloc's.
/// One thread at a time, as its VM.
class LuaAllocator {
 public:
  /// Is asked before memory is taken from the system; not for what was freed and is used again.
  class Guard {
   public:
    /// Whether `bytes` more may be taken. Called from within anything that allocates: no Lua, no memory.
    [[nodiscard]] virtual bool allows(std::size_t bytes) noexcept = 0;

   protected:
    ~Guard() = default;
  };

  LuaAllocator() = default;
  ~LuaAllocator();
  LuaAllocator(const LuaAllocator&) = delete;
  LuaAllocator& operator=(const LuaAllocator&) = delete;

  /// A lua_Alloc; `self` is the allocator.
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) noexcept;

  /// The same, and tells the thread's sampler (profiler::ThreadSampler::allocated).
  static void* allocate_sampled(void* self, void* block, std::size_t old_size, std::size_t new_size) noexcept;

  /// What was allocated, freed or not.
  struct Counts {
    std::uint64_t allocations = 0;
    std::uint64_t bytes = 0;
  };

  /// The same, and counts; it tells the sampler where that samples.
  static void* allocate_counted(void* self, void* block, std::size_t old_size, std::size_t new_size) noexcept;
  /// What was so far. Any thread.
  [[nodiscard]] Counts counts() const { return {allocations_.value(), bytes_.value()}; }

  /// Bytes that small blocks have taken from the system: it never gets them back.
  [[nodiscard]] std::size_t reserved() const { return chunks_.size() * kChunk; }
  /// Bytes taken from the system and not given back.
  [[nodiscard]] std::size_t held() const { return reserved() + large_; }

  /// Keeps memory back that is used when the system has none: for lua_newstate(), which crashes where it finds none
  /// half-way. False: there is not so much.
  [[nodiscard]] bool hold_reserve() noexcept;
  void drop_reserve() noexcept;

  /// `guard` outlives the VM; null: all that there is may be taken.
  void set_guard(Guard* guard) { guard_ = guard; }

  static constexpr std::size_t kLargest = 512;  ///< bytes: the largest block kept in lists

  /// `place` lies in a large block: once that is given back, watched() is null.
  void watch(const void* place) { watched_ = place; }
  [[nodiscard]] const void* watched() const { return watched_; }

 private:
  static constexpr std::size_t kGrain = 16;  // bytes: sizes are rounded up to a multiple
  static constexpr std::size_t kChunk = 64 * 1024;
  static constexpr std::size_t kReserve = 4 * kChunk;  // an empty VM has about 20 KB

  struct Free {
    Free* next;
  };

  [[nodiscard]] static std::size_t list_of(std::size_t size) { return (size + kGrain - 1) / kGrain; }
  [[nodiscard]] void* take(std::size_t size) noexcept;
  void give(void* block, std::size_t size) noexcept;
  [[nodiscard]] bool allows(std::size_t bytes) noexcept { return guard_ == nullptr || guard_->allows(bytes); }
  [[nodiscard]] void* obtain(std::size_t size) noexcept;
  [[nodiscard]] void* take_large(std::size_t size) noexcept;
  [[nodiscard]] void* refill(std::size_t list) noexcept;
  [[nodiscard]] void* resize_large(void* block, std::size_t old_size, std::size_t new_size) noexcept;
  [[nodiscard]] void* keep(void* block, std::size_t old_size, std::size_t new_size) noexcept;
  [[nodiscard]] void* resize(void* block, std::size_t old_size, std::size_t new_size) noexcept;

  std::array<Free*, kLargest / kGrain + 1> free_{};
  char* cut_ = nullptr;  // what is left of the newest chunk
  char* end_ = nullptr;
  std::vector<char*> chunks_;
  std::vector<void*> kept_;  // large blocks that went to the lists
  void* reserve_ = nullptr;
  std::size_t large_ = 0;  // bytes of the blocks that are malloc's
  const void* watched_ = nullptr;
  Guard* guard_ = nullptr;
  Counter allocations_;  // of allocate_counted()
  Counter bytes_;        // likewise
};

}  // namespace perigee::script
