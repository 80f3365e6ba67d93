#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::http {

/// Decodes percent-encodings once and resolves dot segments (RFC 3986 section 5.2.4). Refuses %00, a malformed "%", an
/// encoded slash or backslash, a bare backslash and a path that climbs above the root.
[[nodiscard]] Result<std::string> decode_path(std::string_view raw);

/// Walks application/x-www-form-urlencoded text (URL Standard section 5.1): name=value pairs joined by "&".
class FormPairs {
 public:
  explicit FormPairs(std::string_view text) : rest_(text) {}

  /// Moves to the next pair; false at the end. Empty pairs ("&&") are passed over.
  [[nodiscard]] bool next();

  [[nodiscard]] std::string_view raw_name() const { return name_; }
  [[nodiscard]] std::string_view raw_value() const { return value_; }
  /// Whether name and value stand for themselves: nothing in them to decode.
  [[nodiscard]] bool plain() const { return plain_; }

 private:
  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  bool plain_ = true;
};

/// The first value of `name` in such text; nullopt without one. What has to be decoded is decoded into `room`, which
/// may throw std::bad_alloc.
[[nodiscard]] std::optional<std::string_view> find_form_value(std::string_view text, std::string_view name,
                                                              std::string& room);

/// Whether form_decode() would change the text.
[[nodiscard]] bool needs_form_decoding(std::string_view text);

/// "+" becomes a space, %XX its byte; a malformed "%" stays as it is (URL Standard section 5.1).
/// Writes at most text.size() bytes to `out`, which may not overlap it; returns how many.
std::size_t form_decode(std::string_view text, char* out);

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace perigee::http
