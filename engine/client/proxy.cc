#include "client/proxy.h"

#include <algorithm>
#include <cstdlib>

#include "net/address_set.h"

namespace perigee::client {
namespace {

// The first of the variables that is set and not empty.
std::string_view variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
      return value;
    }
  }
  return {};
}

bool is_own(const std::string& host) {
  const auto address = net::PeerAddress::parse(host);
  const bool loopback =
      address && (address->text() == "::1" || (address->family == AF_INET && address->bytes[0] == 127));
  return loopback || host == "localhost" || host.ends_with(".localhost");
}

// An entry of no_proxy: "*", a name and all below it, an address or a network; each perhaps with a port.
bool covers(std::string_view entry, const http::ClientUrl& url) {
  if (entry == "*") {
    return true;
  }
  const auto address = net::PeerAddress::parse(url.host);
  if (net::AddressSet set; address && set.add(entry)) {
    return set.contains(*address);
  }
  const std::string port = ":" + std::to_string(url.port);
  if (const std::size_t colon = entry.rfind(':'); colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon) != port) {
      return false;
    }
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with("*.")) {
    entry.remove_prefix(1);
  }
  if (entry.starts_with('.')) {
    return url.host.ends_with(entry) || url.host == entry.substr(1);
  }
  return url.host == entry || (url.host.size() > entry.size() && url.host.ends_with(entry) &&
                               url.host[url.host.size() - entry.size() - 1] == '.');
}

}  // namespace

Result<Proxy> Proxy::parse(std::string_view url) {
  const std::string whole = url.find("://") == std::string_view::npos ? "http://" + std::string(url) : std::string(url);
  const http::ClientUrl parsed = TRY(http::parse_client_url(whole));
  if (parsed.secure) {
    return fail("a proxy is spoken to by http://, also for https");
  }
  return Proxy{parsed.host, parsed.port,
               parsed.userinfo.empty() ? std::string() : http::basic_credentials(parsed.userinfo)};
}

ProxyRules::ProxyRules(std::string_view http, std::string_view https, std::string_view none)
    : http_(read("http_proxy", http)), https_(read("https_proxy", https)) {
  while (!none.empty()) {
    const std::size_t end = std::min(none.find_first_of(", "), none.size());
    if (end != 0) {
      std::string entry(none.substr(0, end));
      std::transform(entry.begin(), entry.end(), entry.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
      exempt_.push_back(std::move(entry));
    }
    none.remove_prefix(std::min(end + 1, none.size()));
  }
}

ProxyRules ProxyRules::from_environment() {
  return {variable({"http_proxy", "all_proxy", "ALL_PROXY"}),
          variable({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}), variable({"no_proxy", "NO_PROXY"})};
}

std::optional<Proxy> ProxyRules::read(std::string_view name, std::string_view url) {
  if (url.empty()) {
    return std::nullopt;
  }
  auto parsed = Proxy::parse(url);
  if (!parsed) {
    mistakes_.push_back(std::string(name) + " in the environment is left out: " + parsed.error().message);
    return std::nullopt;
  }
  return *std::move(parsed);
}

bool ProxyRules::is_exempt(const http::ClientUrl& url) const {
  return is_own(url.host) ||
         std::any_of(exempt_.begin(), exempt_.end(), [&url](const auto& entry) { return covers(entry, url); });
}

const Proxy* ProxyRules::find(const http::ClientUrl& url) const {
  const std::optional<Proxy>& proxy = url.secure ? https_ : http_;
  return proxy && !is_exempt(url) ? &*proxy : nullptr;
}

}  // namespace perigee::client
