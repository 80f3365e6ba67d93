#include "http/cookie.h"

#include <algorithm>
#include <cstddef>

#include "http/byte_class.h"
#include "http/byte_scan.h"
#include "http/field_syntax.h"
#include "http/text_words.h"

namespace perigee::http {
namespace {

std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// RFC 6265 section 4.1.1, path-value: any character but controls and ";".
bool is_attribute_value(std::string_view text) {
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || static_cast<unsigned char>(byte) > 0x7e || byte == ';') {
      return false;
    }
  }
  return true;
}

/// Whether `name` begins with `prefix`, in any case (RFC 6265bis section 5.7).
bool has_prefix(std::string_view name, std::string_view prefix) {
  return equal_fold(name.substr(0, prefix.size()), prefix);
}

/// What is wrong with the cookie; null when nothing is.
const char* fault_of(const SetCookie& cookie) {
  const bool host_only = has_prefix(cookie.name, "__Host-");
  if (!is_token(cookie.name)) {
    return "a cookie's name is not a token";
  }
  if (!all_bytes(cookie.value, kCookieByte)) {
    return "a cookie's value has a character that cookies do not carry";
  }
  if (!is_attribute_value(cookie.path) || !is_attribute_value(cookie.domain)) {
    return "a cookie's path or domain has a semicolon, a control or a character beyond ASCII";
  }
  if (!cookie.secure && (cookie.same_site == SameSite::kNone || host_only || has_prefix(cookie.name, "__Secure-"))) {
    return "a SameSite=None, __Secure- or __Host- cookie must be secure";
  }
  return host_only && (!cookie.domain.empty() || cookie.path != "/") ? "a __Host- cookie has the path / and no domain"
                                                                     : nullptr;
}

std::string_view same_site_part(SameSite same_site) {
  switch (same_site) {
    case SameSite::kUnset:
      return "";
    case SameSite::kStrict:
      return "; SameSite=Strict";
    case SameSite::kLax:
      return "; SameSite=Lax";
    case SameSite::kNone:
      return "; SameSite=None";
  }
  return "";
}

void append_lifetime(std::string& line, std::int64_t max_age) {
  if (max_age == SetCookie::kSessionLifetime) {
    return;
  }
  line += "; Max-Age=" + std::to_string(max_age < 0 ? 0 : max_age);
  if (max_age <= 0) {
    line += "; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
  }
}

}  // namespace

bool CookiePairs::next() {
  while (!rest_.empty()) {
    const std::string_view pair = rest_.substr(0, rest_.find(';'));
    rest_.remove_prefix(pair.size() < rest_.size() ? pair.size() + 1 : pair.size());
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      name_ = trimmed(pair.substr(0, equals));
      value_ = unquoted(trimmed(pair.substr(equals + 1)));
      return true;
    }
  }
  return false;
}

namespace {

/// Whether a field begins with `name`, a token, and an equals sign. A pair's name ends at its first equals sign.
bool is_called(std::string_view field, std::string_view name) {
  return field.size() > name.size() && field[name.size()] == '=' &&
         text_words::equal({field.data(), name.size()}, name) && all_bytes(name, kTokenByte);
}

/// What a pair does not hold.
struct PairBytes {
  static bool ends(char byte) { return byte == ';'; }
#if defined(__SSE2__)
  static std::uint32_t end_bits(byte_scan::Block block) {
    return byte_scan::bits(byte_scan::equal(block, ';'));
  }
#endif
};

/// The value that begins at `at`.
std::string_view value_at(const char* at, const char* end) {
  const char* const stop = byte_scan::find_end<PairBytes>({at, end}, at);
  const std::string_view value(at, static_cast<std::size_t>(stop - at));
  const bool bare = at == stop || (is_byte(value.front(), kCookieByte) && is_byte(value.back(), kCookieByte));
  return bare ? value : unquoted(trimmed(value));
}

}  // namespace

std::optional<std::string_view> find_cookie(std::string_view field, std::string_view name) {
  if (is_called(field, name)) {  // mostly the first, and then its pair is all that is looked at
    return value_at(field.data() + name.size() + 1, field.data() + field.size());
  }
  CookiePairs pairs(field);
  while (pairs.next()) {
    if (pairs.name() == name) {
      return pairs.value();
    }
  }
  return std::nullopt;
}

bool has_second_cookie(std::string_view field, std::string_view value, std::string_view name) {
  std::string_view rest = field.substr(static_cast<std::size_t>(value.data() + value.size() - field.data()));
  rest.remove_prefix(std::min(rest.find(';'), rest.size()));  // what else belongs to its pair: a quote, white space
  if (rest.find(name) == std::string_view::npos) {
    return false;
  }
  for (CookiePairs pairs(rest); pairs.next();) {
    if (pairs.name() == name) {
      return true;
    }
  }
  return false;
}

Result<std::string> set_cookie_line(const SetCookie& cookie) {
  if (const char* fault = fault_of(cookie); fault != nullptr) {
    return fail(fault);
  }
  std::string line = "Set-Cookie: ";
  line.append(cookie.name).append("=").append(cookie.value);
  if (!cookie.path.empty()) {
    line.append("; Path=").append(cookie.path);
  }
  if (!cookie.domain.empty()) {
    line.append("; Domain=").append(cookie.domain);
  }
  append_lifetime(line, cookie.max_age);
  line += cookie.secure ? "; Secure" : "";
  line += cookie.http_only ? "; HttpOnly" : "";
  line += same_site_part(cookie.same_site);
  return line + "\r\n";
}

}  // namespace perigee::http
