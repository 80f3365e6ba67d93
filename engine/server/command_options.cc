#include "server/command_options.h"

#include <unistd.h>

#include <utility>

#include "server/command_output.h"

namespace perigee::server {

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
