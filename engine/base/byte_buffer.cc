#include "base/byte_buffer.h"

#include <bit>
#include <cstdlib>
#include <new>

namespace perigee {

void ByteBuffer::release_block() noexcept {
  if (capacity_ != BufferPool::kBlockSize) {
    std::free(block_);
    block_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  } else {
    give_back();
  }
}

void ByteBuffer::grow(std::size_t size) {
  const std::size_t used = this->size();
  if (used + size <= capacity_) {  // the room is in front: move down
    std::memmove(block_, block_ + begin_, used);
    begin_ = 0;
    end_ = used;
    return;
  }
  const bool pooled = used + size <= BufferPool::kBlockSize;
  const std::size_t capacity = pooled ? BufferPool::kBlockSize : std::bit_ceil(used + size);
  char* block = pooled ? pool_->take() : static_cast<char*>(std::malloc(capacity));
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  if (used > 0) {
    std::memcpy(block, block_ + begin_, used);
  }
  if (block_ != nullptr) {
    release();
  }
  block_ = block;
  end_ = used;
  capacity_ = capacity;
}

}  // namespace perigee
