#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace perigee {

/// A text that is written in place and keeps its room when it is cleared. One thread. Throws std::bad_alloc, and is
/// then as it was.
class GrowingText {
 public:
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  /// A place for at least `size` more bytes. Moves what is there where the room must grow.
  [[nodiscard]] char* reserve(std::size_t size) {
    if (capacity_ - size_ < size) [[unlikely]] {
      grow(size);
    }
    return bytes_.get() + size_;
  }

  /// Takes in what was written behind reserve(). REQUIRES: no more than was reserved.
  void commit(std::size_t size) {
    assert(size <= capacity_ - size_);
    size_ += size;
  }

  GrowingText& append(std::string_view text) {
    if (!text.empty()) {
      std::memcpy(reserve(text.size()), text.data(), text.size());
      size_ += text.size();
    }
    return *this;
  }

  void clear() { size_ = 0; }

  /// Drops everything and gives the memory back.
  void release() noexcept;

  friend bool operator==(const GrowingText& text, std::string_view other) { return text.view() == other; }

 private:
  void grow(std::size_t size);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace perigee
