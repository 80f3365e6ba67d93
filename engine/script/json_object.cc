#include "script/json_object.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "http/text_words.h"
#include "script/json_text.h"
#include "script/text_block.h"

namespace perigee::script {

// As lua/perigee/json_body.lua expects them.
static_assert(sizeof(JsonField) == 24 && sizeof(JsonValue) == 32);

namespace {

constexpr bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

constexpr double kTens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};

class ObjectReader {
 public:
  ObjectReader(std::string_view json, int max_depth)
      : at_(json.data()), end_(json.data() + json.size()), max_depth_(max_depth) {}

  bool read(JsonField* fields, std::int32_t count, JsonValue* values) {
    if (!take('{')) {
      return false;
    }
    std::int32_t* guess = &fields[count].next;
    const bool whole = members([&](std::string_view name) {
      std::int32_t at = *guess;
      for (std::int32_t tries = 0; tries < count; ++tries) {
        if (is_name(fields[at], name)) {
          *guess = at;
          guess = &fields[at].next;
          return scalar(values[at]) && is_of_type(values[at], fields[at].type);
        }
        at = at + 1 < count ? at + 1 : 0;
      }
      return skip(2);
    });
    skip_space();
    return whole && at_ == end_;
  }

 private:
  static bool is_name(const JsonField& field, std::string_view name) {
    return http::text_words::equal(field.name.view(), name);
  }

  static bool is_of_type(const JsonValue& value, http::PathType type) {
    double number = 0;
    switch (type) {
      case http::PathType::kUuid:
      case http::PathType::kDate:
      case http::PathType::kKeyword:
      case http::PathType::kSlug:
        return value.kind != JsonKind::kText || http::parse_path_value(type, value.text.view(), number);
      case http::PathType::kString:
      case http::PathType::kInteger:
      case http::PathType::kNumber:
      case http::PathType::kBoolean:
      case http::PathType::kJson:
      case http::PathType::kCustom:
        break;
    }
    return true;
  }

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

  bool scalar(JsonValue& value) {
    skip_space();
    if (at_ == end_) {
      return false;
    }
    std::string_view text;
    switch (*at_) {
      case '"':
        ++at_;
        value.kind = JsonKind::kText;
        if (!string(text)) {
          return false;
        }
        value.text = Slice::of(text);
        return true;
      case 't':
        value.kind = JsonKind::kTrue;
        return word("true");
      case 'f':
        value.kind = JsonKind::kFalse;
        return word("false");
      case 'n':
        value.kind = JsonKind::kNull;
        return word("null");
      case '{':
      case '[':
        return false;
      default:
        value.kind = JsonKind::kNumber;
        return number(value.number);
    }
  }

  // What follows an opening brace, the closing one included; `take_value(name)` takes each value.
  template <typename TakeValue>
  bool members(const TakeValue& take_value) {
    if (take('}')) {
      return true;
    }
    do {
      std::string_view name;
      if (!take('"') || !string(name) || !take(':') || !take_value(name)) {
        return false;
      }
    } while (take(','));
    return take('}');
  }

  // Passes over a value that would be the `depth`-th of those around it.
  bool skip(int depth) {
    skip_space();
    if (at_ == end_ || (*at_ != '{' && *at_ != '[')) {
      JsonValue ignored;
      return scalar(ignored);
    }
    if (depth > max_depth_) {
      return false;
    }
    if (*at_++ == '{') {
      return members([this, depth](std::string_view) { return skip(depth + 1); });
    }
    if (take(']')) {
      return true;
    }
    do {
      if (!skip(depth + 1)) {
        return false;
      }
    } while (take(','));
    return take(']');
  }

  const char* at_;
  const char* const end_;
  const int max_depth_;
};

}  // namespace

bool read_json_object(std::string_view json, int max_depth, JsonField* fields, std::int32_t count,
                      JsonValue* values) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    values[i].kind = JsonKind::kAbsent;
  }
  return ObjectReader(json, max_depth).read(fields, count, values);
}

}  // namespace perigee::script
