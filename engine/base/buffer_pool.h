#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>

namespace perigee {

/// Keeps blocks of one size for buffers to borrow while bytes are in flight. One thread only.
class BufferPool {
 public:
  static constexpr std::size_t kBlockSize = 16 * 1024;
  static constexpr std::size_t kKept = 256;  ///< free blocks held back from the allocator

  /// A block of kBlockSize bytes, uninitialised; null when memory is exhausted.
  [[nodiscard]] char* take() noexcept {
    return count_ > 0 ? free_[--count_] : static_cast<char*>(std::malloc(kBlockSize));
  }

  /// Returns a block that take() gave.
  void give(char* block) noexcept {
    if (count_ < kKept) {
      free_[count_++] = block;
    } else {
      std::free(block);
    }
  }

  BufferPool() = default;
  ~BufferPool() {
    while (count_ > 0) {
      std::free(free_[--count_]);
    }
  }
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

 private:
  std::size_t count_ = 0;
  std::array<char*, kKept> free_;
};

}  // namespace perigee
