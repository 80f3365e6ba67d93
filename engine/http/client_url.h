#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::http {

/// An absolute URL of http or https, as a client needs it (RFC 3986, RFC 9110 section 4.2).
struct ClientUrl {
  bool secure = false;
  std::string host;  ///< in lower case; an IPv6 address without its brackets
  int port = 0;
  std::string userinfo;  ///< as written, "user:password"; empty without
  std::string target;    ///< path and query, at least "/"; bytes beyond ASCII are percent-encoded

  /// "example.com", "[::1]:8080": as the Host field has it, without the scheme's own port.
  [[nodiscard]] std::string authority() const;
  /// "https://example.com/x?y", without userinfo.
  [[nodiscard]] std::string text() const;
  /// Whether credentials for one may be shown to the other: the same scheme, host and port.
  [[nodiscard]] bool same_origin(const ClientUrl& other) const;
};

/// Reads a URL; its fragment is left out. Refuses other schemes, an empty or malformed host, a port of 0 or over 65535,
/// and any control character or space: nothing in a URL may end a line of a request. The error is one for a person and
/// does not show the URL, which may hold credentials.
[[nodiscard]] Result<ClientUrl> parse_client_url(std::string_view text);

/// What a request asks the host for, of what stands behind a URL's host: "/x?y" of "?y", "/" of nothing. As strict.
[[nodiscard]] Result<std::string> client_target(std::string_view rest);

/// Whether client_target() of a text is the text itself: it begins with a slash and holds visible ASCII but "#".
[[nodiscard]] bool is_plain_target(std::string_view rest);

/// What `reference`, the Location of an answer, means beside the URL it was an answer of (RFC 3986 section 5.2).
[[nodiscard]] Result<ClientUrl> resolve_client_url(const ClientUrl& base, std::string_view reference);

/// The Authorization field's value for userinfo as a URL has it: "Basic ..." (RFC 7617).
[[nodiscard]] std::string basic_credentials(std::string_view userinfo);

}  // namespace perigee::http
