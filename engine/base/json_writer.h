#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/escape.h"

namespace perigee {

/// Writes JSON in order (RFC 8259); commas come by themselves. Who begins an object or array ends it.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& end_array() { return close(']'); }

  /// What follows is the value of the member `name`.
  JsonWriter& key(std::string_view name) {
    separate();
    append_json_string(text_, name);
    text_ += ':';
    return *this;
  }

  JsonWriter& value(std::string_view text) {
    separate();
    append_json_string(text_, text);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool yes) { return raw(yes ? "true" : "false"); }
  /// Fifteen digits; what is no number is 0.
  JsonWriter& value(double number) {
    std::array<char, 32> digits;
    const int size = std::snprintf(digits.data(), digits.size(), "%.15g", std::isfinite(number) ? number : 0);
    return raw({digits.data(), static_cast<std::size_t>(size)});
  }
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  JsonWriter& value(Integer number) {
    return raw(std::to_string(number));
  }

  template <typename Value>
  JsonWriter& member(std::string_view name, const Value& its) {
    return key(name).value(its);
  }

  [[nodiscard]] std::string& text() { return text_; }

 private:
  JsonWriter& open(char bracket) {
    separate();
    text_ += bracket;
    return *this;
  }
  JsonWriter& close(char bracket) {
    text_ += bracket;
    return *this;
  }
  JsonWriter& raw(std::string_view token) {
    separate();
    text_ += token;
    return *this;
  }
  void separate() {
    if (!text_.empty() && std::string_view("{[:\n").find(text_.back()) == std::string_view::npos) {
      text_ += ',';
    }
  }

  std::string text_;
};

}  // namespace perigee
