#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "http/request_head.h"
#include "http/text_words.h"

namespace perigee::http {

/// The header lines of a head that was read on a connection, and what they came to. A client mostly sends the same ones
/// with each request; one comparison of their bytes then stands for reading them. One connection, one thread.
class HeadMemo {
 public:
  static constexpr std::size_t kMostBytes = 4608;
  static constexpr std::size_t kMostFields = 40;

  /// Whether the bytes from `line` on, where header lines begin, are the ones that are remembered, whole.
  [[nodiscard]] bool matches(const char* line, const char* end) const {
    return size_ != 0 && end - line >= std::ptrdiff_t{size_} &&
           text_words::equal({line, size_}, {bytes_.data(), size_});
  }

  /// Bytes of the lines, with the empty one that ends them.
  [[nodiscard]] std::uint32_t size() const { return size_; }

  /// Puts down in `head` what the lines came to; they begin `offset` bytes behind head.base. Host, the fields and
  /// content_length are set; no chunks, no expectation, no upgrade and keep_alive are what all remembered lines mean.
  void recall(RequestHead& head, std::uint32_t offset) {
    using Block = std::uint32_t __attribute__((vector_size(sizeof(FieldSpans))));
    const Block shift = {offset, 0, offset, 0};
    head.keep_alive = true;
    head.upgrade = false;
    head.content_length = content_length_;
    head.host = {host_.offset + offset, host_.size};
    head.known = known_;
    const std::uint16_t count = field_count_;
    head.field_count = count;
    for (std::size_t i = 0; i < count; ++i) {
      Block spans;
      std::memcpy(&spans, &fields_[i], sizeof spans);
      spans += shift;
      std::memcpy(static_cast<void*>(&head.fields[i]), &spans, sizeof spans);
    }
    patience_ = kUseful;
    chance_ = kFirstChance;
  }

  /// Remembers the lines of a complete head, which begin `offset` bytes behind its base, if they are few enough and
  /// mean what recall() says. Lines that were of use lately stay for some more heads, and a client whose lines are
  /// never of use has them kept ever more seldom.
  void keep(const RequestHead& head, std::uint32_t offset);

  /// Whether what is remembered may go for something else; each answer that it may not brings that nearer.
  [[nodiscard]] bool yields() {
    if (patience_ == 0) {
      return true;
    }
    --patience_;
    return false;
  }

  void forget() {
    size_ = 0;
    patience_ = 0;
    chance_ = kFirstChance;
  }

 private:
  // Heads that lines stay for: after they were of use, and while they were not, which doubles each time.
  static constexpr std::uint8_t kUseful = 16;
  static constexpr std::uint8_t kFirstChance = 4;
  static constexpr std::uint8_t kLastChance = 128;

  std::uint32_t size_ = 0;
  std::uint16_t field_count_ = 0;
  std::uint8_t patience_ = 0;
  std::uint8_t chance_ = kFirstChance;
  std::int64_t content_length_ = 0;
  Span host_;  // from the first line, as are the spans of the fields
  decltype(RequestHead::known) known_;
  std::array<FieldSpans, kMostFields> fields_;
  std::array<char, kMostBytes> bytes_;
};

}  // namespace perigee::http
