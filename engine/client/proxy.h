#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client_url.h"

namespace perigee::client {

/// A proxy that requests go through (RFC 9110 section 3.7): spoken to in the clear.
struct Proxy {
  std::string host;
  int port = 0;
  std::string credentials;  ///< of Proxy-Authorization; empty without

  bool operator==(const Proxy&) const = default;

  /// Reads "http://user:password@host:port"; without a port it is 80.
  [[nodiscard]] static Result<Proxy> parse(std::string_view url);
};

/// Which proxy the environment wants for which host: http_proxy, https_proxy, all_proxy and no_proxy, in lower case or,
/// but for HTTP_PROXY, which a client of a CGI program may set, in upper case.
class ProxyRules {
 public:
  ProxyRules() = default;
  /// The error of what can't be read is in mistakes(), one each; it counts as not there.
  ProxyRules(std::string_view http, std::string_view https, std::string_view none);
  /// Reads the environment. REQUIRES: no other thread changes it.
  [[nodiscard]] static ProxyRules from_environment();

  /// Null: none. This machine's own names and addresses are reached without.
  [[nodiscard]] const Proxy* find(const http::ClientUrl& url) const;
  [[nodiscard]] const std::vector<std::string>& mistakes() const { return mistakes_; }

 private:
  [[nodiscard]] std::optional<Proxy> read(std::string_view name, std::string_view url);
  [[nodiscard]] bool is_exempt(const http::ClientUrl& url) const;

  std::vector<std::string> mistakes_;  // before those whose reading makes them
  std::optional<Proxy> http_;
  std::optional<Proxy> https_;
  std::vector<std::string> exempt_;
};

}  // namespace perigee::client
