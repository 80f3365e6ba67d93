#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::http {

/// Walks a Cookie field (RFC 6265 section 4.2.1), leniently as section 5.4 has servers do: pairs split at ";", white
/// space around names and values dropped, one pair of double quotes around a value dropped, pairs without "=" passed
/// over.
class CookiePairs {
 public:
  explicit CookiePairs(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool next();
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view value() const { return value_; }

 private:
  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
};

/// The value of the first cookie called `name` in a Cookie field, as CookiePairs would give it; nullopt without one.
[[nodiscard]] std::optional<std::string_view> find_cookie(std::string_view field, std::string_view name);

/// Whether a cookie called `name` follows in a Cookie field after the one whose value find_cookie() gave.
[[nodiscard]] bool has_second_cookie(std::string_view field, std::string_view value, std::string_view name);

enum class SameSite : std::uint8_t { kUnset, kStrict, kLax, kNone };

/// A cookie to set, as RFC 6265 section 4.1 and RFC 6265bis name its parts.
struct SetCookie {
  static constexpr std::int64_t kSessionLifetime = INT64_MIN;

  std::string_view name;
  std::string_view value;
  std::string_view path = "/";
  std::string_view domain;
  std::int64_t max_age = kSessionLifetime;  ///< seconds; 0 or less deletes (an Expires in the past goes along)
  bool http_only = true;
  bool secure = false;
  SameSite same_site = SameSite::kLax;
};

/// The whole line, "Set-Cookie: ...\r\n". Refuses what the grammar does: a name that is no token, a value with control
/// characters, white space, quotes, commas, semicolons or backslashes, a path or domain with ";" or controls, a
/// SameSite=None or __Secure-/__Host- cookie that is not Secure, a __Host- cookie with a domain or a path but "/".
[[nodiscard]] Result<std::string> set_cookie_line(const SetCookie& cookie);

}  // namespace perigee::http
