#include "base/growing_text.h"

#include <algorithm>
#include <limits>
#include <new>

namespace perigee {

void GrowingText::grow(std::size_t size) {
  constexpr std::size_t kLeast = 256;
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max() / 4;
  if (size > kMost - size_) {
    throw std::bad_alloc();
  }
  const std::size_t capacity = std::max({kLeast, 2 * capacity_, size_ + size});
  std::unique_ptr<char[]> grown(new char[capacity]);
  if (size_ != 0) {
    std::memcpy(grown.get(), bytes_.get(), size_);
  }
  bytes_ = std::move(grown);
  capacity_ = capacity;
}

void GrowingText::release() noexcept {
  bytes_.reset();
  size_ = capacity_ = 0;
}

}  // namespace perigee
