#include "server/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "script/safepoint_gaps.h"
#include "server/admin_client.h"
#include "server/command_options.h"
#include "server/command_output.h"
#include "server/config_loader.h"
#include "server/project.h"
#include "server/server.h"
#include "server/vm_settings.h"

namespace perigee::server {
namespace {

std::unique_ptr<script::Vm> load_app(const Options& options) {
  Watchdog watchdog;
  const Watchdog::Watch watched(watchdog, Watchdog::Clock::kWall);
  std::vector<std::string> mistakes;
  auto vm = script::Vm::load(vm_settings(options, 0, 1), mistakes);
  for (const std::string& mistake : mistakes) {
    print_mistake(mistake);
  }
  return vm;
}

// With a broken configuration the app's own mistakes are worth knowing too, where its place is known all the same.
void check_app_alone(const CommandLine& command) {
  const auto options = load_options("", command.sets);
  if (options && access(options->app.c_str(), R_OK) == 0) {
    (void)load_app(*options);
  }
}

std::string method_of(const script::RouteInfo& route) {
  return route.method == "*" ? "ANY" : route.method;
}

constexpr int kWidestTypes = 40;  // longer ones push what follows to the right

void print_table(const std::vector<script::RouteInfo>& routes) {
  int method_width = 6;
  int pattern_width = 7;
  int types_width = 0;
  for (const script::RouteInfo& route : routes) {
    method_width = std::max(method_width, static_cast<int>(method_of(route).size()));
    pattern_width = std::max(pattern_width, static_cast<int>(route.pattern.size()));
    types_width = std::max(types_width, std::min(kWidestTypes, static_cast<int>(route.types.size())));
  }
  for (const script::RouteInfo& route : routes) {
    std::printf("%-*s  %-*s  %-*s%s%s\n", method_width, method_of(route).c_str(), pattern_width, route.pattern.c_str(),
                types_width, route.types.c_str(), types_width > 0 ? "  " : "", route.place.c_str());
  }
}

}  // namespace

int run_serve(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  Server server(located, *options);
  return server.run();
}

int run_check(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located, Checks::kPlaces);
  if (!options) {
    check_app_alone(command);
    return 1;
  }
  const auto vm = load_app(*options);
  if (vm == nullptr) {
    return 1;
  }
  for (const std::string& warning : script::gap_warnings(script::Safepoint::calibrate())) {
    print_mistake("warning: " + warning);
  }
  std::printf("ok: %s, %zu route%s\n", options->app.c_str(), vm->routes().size(), vm->routes().size() == 1 ? "" : "s");
  return 0;
}

int run_routes(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  const auto vm = options ? load_app(*options) : nullptr;
  if (vm == nullptr) {
    return 1;
  }
  if (command.json) {
    std::printf("%s\n", vm->description("routes_json").c_str());
  } else {
    print_table(vm->routes());
  }
  return 0;
}

int run_reload(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  const auto outcome = request_reload(options->admin_listen, options->admin_token);
  if (!outcome) {
    print_mistake(outcome.error().message);
    return 1;
  }
  for (const std::string& mistake : outcome->mistakes) {
    print_mistake(mistake);
  }
  if (outcome->mistakes.empty()) {
    std::printf("reloaded: generation %llu\n", static_cast<unsigned long long>(outcome->generation));
  }
  return outcome->mistakes.empty() ? 0 : 1;
}

int run_health(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  if (const Result<> health = request_health(options->admin_listen); !health) {
    print_mistake(health.error().message);
    return 1;
  }
  std::printf("ok\n");
  return 0;
}

int run_new(const CommandLine& command) {
  if (const auto made = make_project(command.folder); !made) {
    print_mistake(made.error().message);
    return 1;
  }
  const std::string enter = command.folder == "." ? "" : "  cd " + command.folder + "\n";
  std::printf(
      "made %s:\n"
      "  lua/app.lua          the routes\n"
      "  lua/templates/       the pages\n"
      "  tests/               the tests, for perigee test\n"
      "  conf/server.toml     the configuration\n"
      "\n"
      "next:\n"
      "%s"
      "  perigee serve --dev  # http://127.0.0.1:8080, reloaded on save\n",
      command.folder.c_str(), enter.c_str());
  return 0;
}

int run_version() {
  std::printf("perigee %s\n", PERIGEE_VERSION);
  return 0;
}

}  // namespace perigee::server
