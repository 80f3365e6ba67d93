#include "server/option_checks.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "http/field_syntax.h"
#include "net/address_set.h"
#include "net/resolver.h"
#include "net/socket_address.h"
#include "net/tls.h"

namespace perigee::server {
namespace {

constexpr const char* kAddressForm =
    " takes HOST:PORT, [IPV6]:PORT or unix:PATH, with an IP address or localhost and a port from 0 to 65535";

using Faults = std::vector<OptionFault>;

// Two sockets get the same place, unless the kernel is to choose each a port.
bool is_one_place(const net::SocketAddress& address) {
  return address.is_unix() || address.port() != 0;
}

void check_addresses(const Options& options, Faults& faults) {
  std::set<std::string> places;
  for (std::size_t i = 0; i < options.listen.size(); ++i) {
    const Result<net::SocketAddress> address = net::SocketAddress::parse(options.listen[i]);
    if (!address) {
      faults.push_back({"server.listen", i, std::string("server.listen") + kAddressForm});
    } else if (is_one_place(*address) && !places.insert(address->text()).second) {
      faults.push_back({"server.listen", i, "server.listen names one address twice"});
    }
  }
  if (options.admin_listen == "off") {
    return;
  }
  const Result<net::SocketAddress> admin = net::SocketAddress::parse(options.admin_listen);
  if (!admin) {
    faults.push_back({"admin.listen", 0, std::string("admin.listen") + kAddressForm + ", or \"off\""});
    return;
  }
  if (is_one_place(*admin) && places.contains(admin->text())) {
    faults.push_back({"admin.listen", 0, "admin.listen names an address of server.listen", "server.listen"});
  }
  if (!admin->is_loopback() && options.admin_token.empty()) {
    faults.push_back(
        {"admin.listen", 0, "admin.listen is not a loopback address: set admin.token as well", "admin.token"});
  }
}

void check_proxies(const Options& options, Faults& faults) {
  net::AddressSet set;
  for (std::size_t i = 0; i < options.trusted_proxies.size(); ++i) {
    if (const Result<> added = set.add(options.trusted_proxies[i]); !added) {
      faults.push_back({"server.trusted_proxies", i,
                        "server.trusted_proxies takes IP addresses, networks as \"10.0.0.0/8\", and \"unix\": " +
                            added.error().message});
    }
  }
}

void check_client(const Options& options, Faults& faults) {
  for (std::size_t i = 0; i < options.nameservers.size(); ++i) {
    if (const Result<> good = net::Resolver::check_nameserver(options.nameservers[i]); !good) {
      faults.push_back({"client.nameservers", i,
                        "client.nameservers takes IP addresses, with or without a port: \"192.0.2.1:53\" or "
                        "\"[2001:db8::1]:53\""});
    }
  }
  if (options.ca_file.empty()) {
    return;
  }
  if (const auto context = net::TlsContext::create({options.ca_file, "", ""}); !context) {
    faults.push_back({"client.ca_file", 0, "client.ca_file: " + context.error().message});
  }
}

void check_sizes(const Options& options, Faults& faults) {
  const std::pair<std::string, std::int64_t> parts[] = {{"http.request_line", options.request_line},
                                                        {"http.field_line", options.field_line}};
  for (const auto& [name, size] : parts) {
    if (options.head < size) {
      faults.push_back({"http.head", 0, "http.head is smaller than " + name + ", a part of it", name});
    }
  }
}

void check_folders(const Options& options, Faults& faults) {
  const std::string& folder = options.upload_folder;
  if (folder.empty()) {
    return;
  }
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0) {
    faults.push_back({"http.upload_folder", 0, "http.upload_folder: '" + folder + "': " + std::strerror(errno)});
  } else if (!S_ISDIR(found.st_mode)) {
    faults.push_back({"http.upload_folder", 0, "http.upload_folder: '" + folder + "' is no folder"});
  }
}

void check_logs(const Options& options, Faults& faults) {
  if (options.log_error == "off") {
    faults.push_back({"log.error", 0, "log.error cannot be \"off\"; log.level = \"error\" is the least"});
  }
  for (std::size_t i = 0; i < options.access_skip.size(); ++i) {
    if (!options.access_skip[i].starts_with('/')) {
      faults.push_back({"log.access_skip", i, "log.access_skip takes paths, which begin with \"/\""});
    }
  }
}

void check_session(const Options& options, Faults& faults) {
  if (!http::is_token(options.session_cookie) || options.session_cookie.starts_with("__")) {
    faults.push_back(
        {"session.cookie", 0, "session.cookie takes letters, digits and !#$%&'*+-.^_`|~, without __ in front"});
  }
}

}  // namespace

std::vector<OptionFault> check_options(const Options& options) {
  Faults faults;
  check_addresses(options, faults);
  check_proxies(options, faults);
  check_client(options, faults);
  check_sizes(options, faults);
  check_folders(options, faults);
  check_logs(options, faults);
  check_session(options, faults);
  return faults;
}

}  // namespace perigee::server
