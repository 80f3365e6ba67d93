#pragma once

#include <sanitizer/asan_interface.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace perigee {

/// Keeps blocks of one size for what comes and goes, at most so many of them free. One thread only.
template <std::size_t kBytes, std::size_t kMost>
class BlockPool {
 public:
  static constexpr std::size_t kBlockSize = kBytes;
  static constexpr std::size_t kKept = kMost;  ///< free blocks held back from the allocator

  /// A block of kBlockSize bytes, uninitialised; null when memory is exhausted.
  [[nodiscard]] char* take() noexcept {
    if (count_ == 0) {
      return static_cast<char*>(std::malloc(kBlockSize));
    }
    char* const block = free_[--count_];
    ASAN_UNPOISON_MEMORY_REGION(block, kBlockSize);
    return block;
  }

  /// Returns a block that take() gave.
  void give(char* block) noexcept {
    if (count_ < kKept) {
      ASAN_POISON_MEMORY_REGION(block, kBlockSize);
      free_[count_++] = block;
    } else {
      std::free(block);
    }
  }

  BlockPool() = default;
  ~BlockPool() {
    while (count_ > 0) {
      std::free(take());
    }
  }
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

 private:
  std::size_t count_ = 0;
  std::array<char*, kKept> free_;
};

/// For buffers to borrow while bytes are in flight.
using BufferPool = BlockPool<16 * 1024, 256>;

}  // namespace perigee
