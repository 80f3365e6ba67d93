#include "net/shared_queue.h"

namespace perigee::net {

std::span<iovec> SharedQueue::fill(std::span<iovec> vectors) const {
  std::size_t count = 0;
  for (const SharedBytes& part : parts_) {
    if (count == vectors.size()) {
      break;
    }
    vectors[count++] = {const_cast<char*>(part.bytes.data()), part.bytes.size()};
  }
  return vectors.first(count);
}

void SharedQueue::consume(std::size_t size) {
  size_ -= size;
  while (size > 0 && size >= parts_.front().bytes.size()) {
    size -= parts_.front().bytes.size();
    parts_.pop_front();
  }
  if (size > 0) {
    parts_.front().bytes.remove_prefix(size);
  }
}

}  // namespace perigee::net
