#include "base/buffer_pool.h"

#include <cstdlib>

namespace perigee {

BufferPool::BufferPool() { free_.reserve(kKept); }

BufferPool::~BufferPool() {
  for (char* block : free_) {
    std::free(block);
  }
}

char* BufferPool::take() noexcept {
  if (free_.empty()) {
    return static_cast<char*>(std::malloc(kBlockSize));
  }
  char* block = free_.back();
  free_.pop_back();
  return block;
}

void BufferPool::give(char* block) noexcept {
  if (free_.size() < kKept) {
    free_.push_back(block);
  } else {
    std::free(block);
  }
}

}  // namespace perigee
