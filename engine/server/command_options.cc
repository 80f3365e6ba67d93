#include "server/command_options.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace perigee::server {

void print_mistake(const std::string& text) {
  std::fprintf(stderr, "perigee: %s\n", text.c_str());
}

std::optional<Options> load_command_options(CommandLine& command, Checks checks) {
  if (!command.config_given && access(command.config_path.c_str(), F_OK) != 0) {
    command.config_path.clear();
  }
  auto options = load_options(command.config_path, command.sets, checks);
  if (options) {
    return std::move(*options);
  }
  for (const ConfigMistake& mistake : options.error()) {
    print_mistake(mistake.text());
  }
  return std::nullopt;
}

}  // namespace perigee::server
