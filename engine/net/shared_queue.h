#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string_view>

namespace perigee::net {

/// Bytes that many connections send: a part of `owner`, which is kept while one of them still has some to send.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view bytes;
};

/// Shared bytes that wait for a connection to take them, in order. References, not copies.
class SharedQueue {
 public:
  /// Adds bytes. REQUIRES: some.
  void push(SharedBytes part) {
    size_ += part.bytes.size();
    parts_.push_back(std::move(part));
  }

  /// Bytes in all.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Names the first parts for writev(); returns those of `vectors` that were needed.
  [[nodiscard]] std::span<iovec> fill(std::span<iovec> vectors) const;

  /// Drops the first `size` bytes. REQUIRES: size <= this->size().
  void consume(std::size_t size);

 private:
  std::deque<SharedBytes> parts_;
  std::size_t size_ = 0;
};

}  // namespace perigee::net
