#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perigee::http {

/// Walks over a chunked body (RFC 9112 section 7.1) and refuses every byte its grammar does not have: it tells where
/// the body ends and takes nothing out of it. Extensions are checked and passed over, trailers as well; both are
/// bounded over the whole body. No I/O, no allocation.
class ChunkWalker {
 public:
  static constexpr std::uint32_t kMaxExtensionBytes = 4 * 1024;
  static constexpr std::uint32_t kMaxTrailerBytes = 8 * 1024;

  enum class State : std::uint8_t { kReading, kDone, kRefused };

  /// Walks over `bytes`, which follow those walked over before. Returns how many were good and belong to the body; all
  /// of them while kReading.
  [[nodiscard]] std::size_t walk(std::string_view bytes);

  [[nodiscard]] State state() const {
    return at_ == Place::kDone ? State::kDone : at_ == Place::kRefused ? State::kRefused : State::kReading;
  }

  /// Why the body is refused, in one sentence. A static string.
  [[nodiscard]] const char* reason() const { return reason_; }

  /// How many bytes of data there were in the chunks so far.
  [[nodiscard]] std::uint64_t data_size() const { return data_size_; }

 private:
  /// What the next byte is part of. "Gap" is white space the grammar calls bad but has recipients bear.
  enum class Place : std::uint8_t {
    kFirstDigit,
    kDigits,
    kGapBeforeSemicolon,
    kGapBeforeName,
    kName,
    kGapAfterName,
    kGapBeforeValue,
    kValue,
    kQuoted,
    kQuotedPair,
    kAfterQuoted,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kLastLf,
    kDone,
    kRefused
  };

  [[nodiscard]] Place step(char byte);
  [[nodiscard]] Place step_size(char byte);
  [[nodiscard]] Place step_extension(char byte);
  [[nodiscard]] Place step_quoted(char byte);
  [[nodiscard]] Place step_data_end(char byte);
  [[nodiscard]] Place step_trailer(char byte);
  [[nodiscard]] Place add_digit(char digit);
  [[nodiscard]] Place end_part(char byte);
  [[nodiscard]] Place refuse(const char* reason);
  [[nodiscard]] std::size_t skip_data(std::size_t available);

  Place at_ = Place::kFirstDigit;
  std::uint64_t remaining_ = 0;  // of the chunk's data
  std::uint64_t data_size_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  std::uint8_t digits_ = 0;
  const char* reason_ = "";
};

}  // namespace perigee::http
