#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/buffer_pool.h"

namespace perigee {

/// A queue of bytes in one contiguous block, borrowed from a pool and given back when it runs empty.
///
///     |  consumed  |  readable bytes  |  room  |
///     block      begin               end    capacity
///
/// A block larger than the pool's comes from the allocator. One thread only. Throws std::bad_alloc, never shrinks data.
class ByteBuffer {
 public:
  explicit ByteBuffer(BufferPool& pool) : pool_(&pool) {}
  ~ByteBuffer() { release(); }
  ByteBuffer(ByteBuffer&& other) noexcept : pool_(other.pool_) { swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  [[nodiscard]] std::string_view readable() const { return {block_ + begin_, end_ - begin_}; }
  [[nodiscard]] const char* data() const { return block_ + begin_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t room() const { return capacity_ - end_; }

  /// A place for at least `size` more bytes. Moves the readable bytes where the block must grow.
  [[nodiscard, gnu::always_inline]] char* reserve(std::size_t size) {
    if (room() < size) {
      if (block_ != nullptr || size > BufferPool::kBlockSize || !borrow()) {
        grow(size);
      }
    }
    return block_ + end_;
  }

  /// Makes `size` bytes written behind reserve() readable. REQUIRES: size <= room().
  void commit(std::size_t size) {
    assert(size <= room());
    end_ += size;
  }

  void append(std::string_view text) {
    std::memcpy(reserve(text.size()), text.data(), text.size());
    end_ += text.size();
  }

  /// Drops the first `size` readable bytes. REQUIRES: size <= this->size().
  void consume(std::size_t size) {
    assert(size <= this->size());
    begin_ += size;
  }

  /// Drops the last readable bytes so that `size` are left. REQUIRES: size <= this->size().
  void truncate(std::size_t size) {
    assert(size <= this->size());
    end_ = begin_ + size;
  }

  /// Gives an empty buffer's block back. Does nothing while bytes are readable.
  [[gnu::always_inline]] void release_if_empty() {
    if (begin_ == end_ && block_ != nullptr) {
      if (capacity_ == BufferPool::kBlockSize) {
        give_back();
      } else {
        release();
      }
    }
  }

  /// Drops everything and gives the block back.
  void release() noexcept {
    if (block_ != nullptr) {
      release_block();
    }
  }

  void swap(ByteBuffer& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(block_, other.block_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

  [[nodiscard]] BufferPool& pool() const { return *pool_; }

 private:
  void grow(std::size_t size);
  void release_block() noexcept;

  // The common case, in line: a block of the pool's for a buffer that has none.
  bool borrow() {
    block_ = pool_->take();
    capacity_ = block_ != nullptr ? BufferPool::kBlockSize : 0;
    return block_ != nullptr;
  }

  [[gnu::always_inline]] void give_back() noexcept {
    pool_->give(block_);
    block_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  }

  BufferPool* pool_ = nullptr;
  char* block_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace perigee
