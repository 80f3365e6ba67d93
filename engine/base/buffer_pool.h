#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace perigee {

/// Keeps blocks of one size for buffers to borrow while bytes are in flight. One thread only.
class BufferPool {
 public:
  static constexpr std::size_t kBlockSize = 16 * 1024;
  static constexpr std::size_t kKept = 256;  ///< free blocks held back from the allocator

  /// A block of kBlockSize bytes, uninitialised; null when memory is exhausted.
  [[nodiscard]] char* take() noexcept;

  /// Returns a block that take() gave.
  void give(char* block) noexcept;

  BufferPool();
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

 private:
  std::vector<char*> free_;
};

}  // namespace perigee
