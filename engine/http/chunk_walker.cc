#include "http/chunk_walker.h"

#include <algorithm>

#include "http/byte_class.h"

namespace perigee::http {
namespace {

constexpr std::uint8_t kMaxDigits = 16;
constexpr std::uint64_t kMaxSize = INT64_MAX;

}  // namespace

std::size_t ChunkWalker::walk(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && at_ != Place::kDone && at_ != Place::kRefused) {
    if (at_ == Place::kData) {
      at += skip_data(bytes.size() - at);
      continue;
    }
    at_ = step(bytes[at]);
    at += at_ == Place::kRefused ? 0 : 1;
  }
  return at;
}

std::size_t ChunkWalker::skip_data(std::size_t available) {
  const std::uint64_t size = std::min<std::uint64_t>(available, remaining_);
  remaining_ -= size;
  data_size_ += size;
  at_ = remaining_ == 0 ? Place::kDataCr : Place::kData;
  return static_cast<std::size_t>(size);
}

ChunkWalker::Place ChunkWalker::refuse(const char* reason) {
  reason_ = reason;
  return Place::kRefused;
}

ChunkWalker::Place ChunkWalker::step(char byte) {
  switch (at_) {
    case Place::kFirstDigit:
    case Place::kDigits:
    case Place::kSizeLf:
      return step_size(byte);
    case Place::kGapBeforeSemicolon:
    case Place::kGapBeforeName:
    case Place::kName:
    case Place::kGapAfterName:
    case Place::kGapBeforeValue:
    case Place::kValue:
    case Place::kAfterQuoted:
      return step_extension(byte);
    case Place::kQuoted:
    case Place::kQuotedPair:
      return step_quoted(byte);
    case Place::kDataCr:
    case Place::kDataLf:
      return step_data_end(byte);
    case Place::kTrailerStart:
    case Place::kTrailerName:
    case Place::kTrailerValue:
    case Place::kTrailerLf:
    case Place::kLastLf:
      return step_trailer(byte);
    case Place::kData:
    case Place::kDone:
    case Place::kRefused:
      break;
  }
  return at_;
}

ChunkWalker::Place ChunkWalker::step_size(char byte) {
  if (at_ == Place::kSizeLf) {
    if (byte != '\n') {
      return refuse("a chunk's size line does not end in CRLF");
    }
    digits_ = 0;
    return remaining_ == 0 ? Place::kTrailerStart : Place::kData;
  }
  if (is_byte(byte, kHexByte)) {
    return add_digit(byte);
  }
  return at_ == Place::kDigits ? end_part(byte) : refuse("a chunk's size is not a hexadecimal number");
}

ChunkWalker::Place ChunkWalker::add_digit(char digit) {
  remaining_ = (digits_ == 0 ? 0 : remaining_ << 4) | static_cast<std::uint64_t>(hex_value(digit));
  if (++digits_ > kMaxDigits || remaining_ > kMaxSize) {
    return refuse("a chunk's size is too large");
  }
  return Place::kDigits;
}

/// What may follow a whole size, extension name or extension value: the next extension or the end of the line.
ChunkWalker::Place ChunkWalker::end_part(char byte) {
  if (byte == '\r') {
    return Place::kSizeLf;
  }
  if (byte == ';') {
    ++extension_bytes_;
    return Place::kGapBeforeName;
  }
  return is_blank(byte) ? Place::kGapBeforeSemicolon : refuse("a chunk's size line is malformed");
}

/// chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
ChunkWalker::Place ChunkWalker::step_extension(char byte) {
  if (++extension_bytes_ > kMaxExtensionBytes) {
    return refuse("the chunk extensions are too long");
  }
  const bool within_gap = at_ != Place::kName && at_ != Place::kValue && at_ != Place::kAfterQuoted;
  if (within_gap && is_blank(byte)) {
    return at_;
  }
  const bool token = is_byte(byte, kTokenByte);
  switch (at_) {
    case Place::kGapBeforeSemicolon:
      return byte == ';' ? Place::kGapBeforeName : refuse("a chunk's size line is malformed");
    case Place::kGapBeforeName:
      return token ? Place::kName : refuse("a chunk extension has no name");
    case Place::kName:
      return token            ? Place::kName
             : byte == '='    ? Place::kGapBeforeValue
             : is_blank(byte) ? Place::kGapAfterName
                              : end_part(byte);
    case Place::kGapAfterName:
      return byte == '='   ? Place::kGapBeforeValue
             : byte == ';' ? Place::kGapBeforeName
                           : refuse("a chunk's size line is malformed");
    case Place::kGapBeforeValue:
      return token ? Place::kValue : byte == '"' ? Place::kQuoted : refuse("a chunk extension has no value");
    case Place::kValue:
      return token ? Place::kValue : end_part(byte);
    default:
      return end_part(byte);
  }
}

ChunkWalker::Place ChunkWalker::step_quoted(char byte) {
  if (++extension_bytes_ > kMaxExtensionBytes) {
    return refuse("the chunk extensions are too long");
  }
  if (!is_byte(byte, kValueByte)) {
    return refuse("a chunk extension has a control character");
  }
  if (at_ == Place::kQuotedPair) {
    return Place::kQuoted;
  }
  return byte == '"' ? Place::kAfterQuoted : byte == '\\' ? Place::kQuotedPair : Place::kQuoted;
}

ChunkWalker::Place ChunkWalker::step_data_end(char byte) {
  if (byte != (at_ == Place::kDataCr ? '\r' : '\n')) {
    return refuse("a chunk's data is not followed by CRLF");
  }
  return at_ == Place::kDataCr ? Place::kDataLf : Place::kFirstDigit;
}

ChunkWalker::Place ChunkWalker::step_trailer(char byte) {
  if (++trailer_bytes_ > kMaxTrailerBytes) {
    return refuse("the trailers are too long");
  }
  switch (at_) {
    case Place::kTrailerStart:
      return byte == '\r'                ? Place::kLastLf
             : is_byte(byte, kTokenByte) ? Place::kTrailerName
                                         : refuse("a trailer line does not begin with a name");
    case Place::kTrailerName:
      return byte == ':'                 ? Place::kTrailerValue
             : is_byte(byte, kTokenByte) ? Place::kTrailerName
                                         : refuse("a trailer's name is not a token");
    case Place::kTrailerValue:
      return byte == '\r'                ? Place::kTrailerLf
             : is_byte(byte, kValueByte) ? Place::kTrailerValue
                                         : refuse("a trailer has a control character");
    case Place::kTrailerLf:
      return byte == '\n' ? Place::kTrailerStart : refuse("a trailer line does not end in CRLF");
    default:
      return byte == '\n' ? Place::kDone : refuse("the body does not end in CRLF");
  }
}

}  // namespace perigee::http
