#include "http/head_memo.h"

#include <algorithm>

namespace perigee::http {
namespace {

Span moved(Span span, std::uint32_t by) {
  return {span.offset - by, span.size};
}

}  // namespace

void HeadMemo::keep(const RequestHead& head, std::uint32_t offset) {
  const std::uint32_t size = head.size - offset;
  const bool usual = head.minor_version == 1 && head.host.offset >= offset && head.keep_alive && !head.chunked &&
                     !head.expect_continue && !head.upgrade;
  if (!usual || size > kMostBytes || head.field_count > kMostFields || !yields()) {
    return;
  }
  size_ = size;
  patience_ = chance_;
  chance_ = chance_ < kLastChance ? static_cast<std::uint8_t>(2 * chance_) : kLastChance;
  std::memcpy(bytes_.data(), head.base + offset, size);
  content_length_ = head.content_length;
  host_ = moved(head.host, offset);
  known_ = head.known;
  field_count_ = head.field_count;
  std::transform(head.fields.begin(), head.fields.begin() + field_count_, fields_.begin(),
                 [&](const FieldSpans& field) {
                   return FieldSpans{moved(field.name, offset), moved(field.value, offset)};
                 });
}

}  // namespace perigee::http
