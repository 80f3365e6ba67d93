#include "server/development.h"

#include <algorithm>
#include <filesystem>

#include "net/socket_address.h"

namespace perigee::server {
namespace {

constexpr double kDrain = 1;  // seconds

bool is_private(const std::string& text) {
  const auto address = net::SocketAddress::parse(text);
  return address && (address->is_unix() || address->is_loopback());
}

}  // namespace

void soften_for_development(Options& options) {
  if (options.dev) {
    options.drain = std::min(options.drain, kDrain);
  }
}

net::FileWatch::Settings watch_settings(const Options& options, const std::string& config_path) {
  net::FileWatch::Settings settings;
  const std::string folder = std::filesystem::path(options.app).parent_path().string();
  settings.folders = {folder.empty() ? "." : folder};
  if (!config_path.empty()) {
    settings.files = {config_path};
  }
  settings.endings = options.dev_watch;
  settings.ignored = options.dev_ignore;
  settings.most_folders = static_cast<std::size_t>(options.dev_folders);
  return settings;
}

std::vector<std::string> development_warnings(const Options& options) {
  std::vector<std::string> lines = {"development mode: saves reload, and errors show source and values to the client"};
  for (const std::string& address : options.listen) {
    if (!is_private(address)) {
      lines.push_back("development mode on " + address + ": whoever reaches it can read the app's source");
    }
  }
  return lines;
}

}  // namespace perigee::server
