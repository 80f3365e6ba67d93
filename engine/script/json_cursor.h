#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/escape.h"
#include "http/path_type.h"
#include "script/text_block.h"

namespace perigee::script {

/// Goes through a JSON text from its beginning, for readers that know what most texts are like. Takes nothing that
/// decode_json() would refuse, but refuses (false) also what is unusual: an escape in a string, a number of more than
/// 15 digits. Where it stands then is not said.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view json) : at_(json.data()), end_(json.data() + json.size()) {}

 protected:
  // There is nearly never any.
  [[gnu::always_inline]] void skip_space() {
    if (at_ == end_ || static_cast<unsigned char>(*at_) <= ' ') [[unlikely]] {
      pass_space();
    }
  }

  [[gnu::noinline]] void pass_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) {
      ++at_;
    }
  }

  // Takes a letter and the white space before it.
  [[gnu::always_inline]] bool take(char letter) {
    skip_space();
    if (at_ == end_ || *at_ != letter) {
      return false;
    }
    ++at_;
    return true;
  }

  bool word(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0) {
      return false;
    }
    at_ += text.size();
    return true;
  }

#ifdef __SSE2__
  // Most of a long text has nothing to look at.
  [[nodiscard, gnu::noinline]] const char* past_plain(const char* at) const {
    constexpr std::ptrdiff_t kFour = 4 * TextBlock::kSize;
    while (end_ - at >= kFour && TextBlock::are_four_plain(at)) {
      at += kFour;
    }
    return at;
  }
#endif

  // A string without escapes, its first quote taken already.
  [[gnu::always_inline]] bool string(std::string_view& text) {
    const char* at = at_;
    while (at != end_) {
#ifdef __SSE2__
      if (end_ - at >= std::ptrdiff_t{TextBlock::kSize}) {
        const unsigned bits = TextBlock::at(at).special();
        if (bits == 0) {
          at = past_plain(at + TextBlock::kSize);
          continue;
        }
        at += std::countr_zero(bits);
      }
#endif
      const auto byte = static_cast<unsigned char>(*at);
      if (byte == '"') {
        text = {at_, static_cast<std::size_t>(at - at_)};
        at_ = at + 1;
        return true;
      }
      if (byte == '\\' || byte < 0x20) {
        return false;
      }
      const std::size_t size = byte < 0x80 ? 1 : utf8_length({at, end_});
      if (size == 0) {
        return false;
      }
      at += size;
    }
    return false;
  }

  // A number, whose first byte is there.
  bool number(double& value) {
    const char* const begin = at_;
    const bool negative = *at_ == '-';
    at_ += negative ? 1 : 0;
    const char* const digits = at_;
    std::int64_t whole = 0;
    while (at_ != end_ && is_digit(*at_) && at_ - digits < 16) {
      whole = whole * 10 + (*at_++ - '0');
    }
    const bool more = at_ != end_ && (is_digit(*at_) || *at_ == '.' || *at_ == 'e' || *at_ == 'E');
    if (!more && at_ != digits && at_ - digits <= 15 && (*digits != '0' || at_ - digits == 1)) {
      value = static_cast<double>(negative ? -whole : whole);
      return true;
    }
    if (!more || at_ - digits > 15) {
      return false;  // no number, or one so long that only decode_json() knows what becomes of it
    }
    const char* const point = at_;
    if (*point == '.' && at_ != digits && (*digits != '0' || at_ - digits == 1) && short_fraction(whole)) {
      // Both are exact in a double, so that the division rounds as reading the decimal does.
      const double all = static_cast<double>(whole) / kTens[at_ - point - 1];
      value = negative ? -all : all;  // -0.0 has a sign
      return true;
    }
    at_ = point;
    while (at_ != end_ && (is_digit(*at_) || *at_ == '.' || *at_ == 'e' || *at_ == 'E' || *at_ == '+' || *at_ == '-')) {
      ++at_;
    }
    return http::parse_path_value(http::PathType::kNumber, {begin, static_cast<std::size_t>(at_ - begin)}, value);
  }

  const char* at_;
  const char* const end_;

 private:
  static constexpr double kTens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};

  static constexpr bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
  }

  // Takes a point and the digits behind it into `whole`, where nothing else follows and all are few.
  bool short_fraction(std::int64_t& whole) {
    const char* const point = at_++;
    std::int64_t all = whole;
    while (at_ != end_ && is_digit(*at_) && at_ - point < 8) {
      all = all * 10 + (*at_++ - '0');
    }
    const bool more = at_ != end_ && (is_digit(*at_) || *at_ == '.' || *at_ == 'e' || *at_ == 'E');
    if (more || at_ == point + 1 || all >= 1'000'000'000'000'000) {
      return false;
    }
    whole = all;
    return true;
  }
};

}  // namespace perigee::script
