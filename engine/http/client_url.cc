#include "http/client_url.h"

#include <algorithm>
#include <vector>

#include "http/field_syntax.h"

namespace perigee::http {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

bool is_plain(char byte) {
  return static_cast<unsigned char>(byte) > 0x20 && byte != 0x7f;
}

int hex_value(char byte) {
  const char low = static_cast<char>(byte | 0x20);
  return byte >= '0' && byte <= '9' ? byte - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= here ? kLetters[group >> (18 - 6 * k) & 0x3f] : '=';
    }
  }
  return out;
}

Result<int> read_port(std::string_view text, bool secure) {
  if (text.empty()) {
    return secure ? 443 : 80;
  }
  int port = 0;
  for (const char byte : text) {
    if (byte < '0' || byte > '9' || port > 65535) {
      return fail("the url's port is no number from 1 to 65535");
    }
    port = port * 10 + (byte - '0');
  }
  if (port < 1 || port > 65535) {
    return fail("the url's port is no number from 1 to 65535");
  }
  return port;
}

Result<> read_authority(std::string_view text, ClientUrl& url) {
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    url.userinfo = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  if (!is_host(text) || text.empty()) {
    return fail("the url's host or port is malformed");
  }
  const std::size_t bracket = text.find(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = text.substr(0, colon);
  url.port = TRY(read_port(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1), url.secure));
  url.host = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  if (url.host.empty()) {
    return fail("the url has no host");
  }
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return {};
}

std::string encoded_target(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; })) {
    return std::string(text);
  }
  std::string target;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      target += byte;
    } else {
      target.append({'%', kHex[code >> 4], kHex[code & 0xf]});
    }
  }
  return target;
}

// RFC 3986 section 5.2.4, of an absolute path.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  bool folder = true;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    folder = segment == "." || segment == ".." || segment.empty();
    if (segment == ".." && !segments.empty()) {
      segments.pop_back();
    } else if (segment != "." && segment != ".." && (!segment.empty() || end != path.size())) {
      segments.push_back(segment);
    }
    at = end + 1;
  }
  std::string clean;
  for (const std::string_view segment : segments) {
    clean.append("/").append(segment);
  }
  return folder ? clean + "/" : clean;
}

}  // namespace

std::string ClientUrl::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (secure ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string ClientUrl::text() const {
  return (secure ? "https://" : "http://") + authority() + target;
}

bool ClientUrl::same_origin(const ClientUrl& other) const {
  return secure == other.secure && host == other.host && port == other.port;
}

Result<ClientUrl> parse_client_url(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_plain)) {
    return fail("the url holds a space or a control character");
  }
  ClientUrl url;
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  url.secure = equal_fold(scheme, "https");
  if (colon == std::string_view::npos || (!url.secure && !equal_fold(scheme, "http"))) {
    return fail("the url does not begin with http:// or https://");
  }
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  TRY(read_authority(text.substr(0, end), url));
  url.target = TRY(client_target(text.substr(end)));
  return url;
}

Result<std::string> client_target(std::string_view rest) {
  if (!std::all_of(rest.begin(), rest.end(), is_plain)) {
    return fail("the url holds a space or a control character");
  }
  std::string target = encoded_target(rest.substr(0, rest.find('#')));
  if (!target.starts_with('/')) {
    target.insert(0, 1, '/');
  }
  return target;
}

bool is_plain_target(std::string_view rest) {
  return rest.starts_with('/') && all_bytes(rest, kTargetByte);
}

Result<ClientUrl> resolve_client_url(const ClientUrl& base, std::string_view reference) {
  if (!std::all_of(reference.begin(), reference.end(), is_plain)) {
    return fail("the location holds a space or a control character");
  }
  reference = reference.substr(0, reference.find('#'));
  if (reference.starts_with("//")) {
    return parse_client_url((base.secure ? "https:" : "http:") + std::string(reference));
  }
  // A scheme stands before the first slash, question mark or colon that is another's.
  if (const std::size_t colon = reference.find_first_of(":/?");
      colon != std::string_view::npos && reference[colon] == ':') {
    return parse_client_url(reference);
  }
  ClientUrl url = base;
  url.userinfo.clear();
  if (reference.empty()) {
    return url;
  }
  const std::string path = base.target.substr(0, base.target.find('?'));
  const std::size_t query = std::min(reference.find('?'), reference.size());
  const std::string_view own = reference.substr(0, query);
  std::string joined;
  if (own.empty()) {
    joined = path;
  } else if (own.starts_with('/')) {
    joined = without_dots(own);
  } else {
    joined = without_dots(path.substr(0, path.rfind('/') + 1).append(own));
  }
  url.target = encoded_target(joined.append(reference.substr(query)));
  return url;
}

std::string basic_credentials(std::string_view userinfo) {
  std::string plain = percent_decoded(userinfo);
  if (plain.find(':') == std::string::npos) {
    plain += ':';
  }
  return "Basic " + base64(plain);
}

}  // namespace perigee::http
