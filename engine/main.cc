#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <system_error>

#include "base/thread_stack.h"
#include "server/command_line.h"
#include "server/command_output.h"
#include "server/commands.h"
#include "server/profile_command.h"

namespace {

int run(const perigee::server::CommandLine& command) {
  using Command = perigee::server::CommandLine::Command;
  switch (command.command) {
    case Command::kServe:
      return perigee::server::run_serve(command);
    case Command::kCheck:
      return perigee::server::run_check(command);
    case Command::kReload:
      return perigee::server::run_reload(command);
    case Command::kHealth:
      return perigee::server::run_health(command);
    case Command::kRoutes:
      return perigee::server::run_routes(command);
    case Command::kProfile:
      return perigee::server::run_profile(command);
    case Command::kBench:
      return perigee::server::run_bench(command);
    case Command::kTest:
      return perigee::server::run_test(command);
    case Command::kNew:
      return perigee::server::run_new(command);
    case Command::kVersion:
      break;
  }
  return perigee::server::run_version();
}

// What was printed may be for another program: it must know when it has not got all.
int finished(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return code;
  }
  perigee::server::print_mistake(std::string("not all could be printed: ") + std::strerror(errno != 0 ? errno : EIO));
  return code != 0 ? code : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const auto command = perigee::server::parse_command_line(
      std::span<const char* const>(arguments + 1, count > 0 ? static_cast<std::size_t>(count - 1) : 0));
  if (!command) {
    std::fputs(command.error().text.c_str(), command.error().code == 0 ? stdout : stderr);
    return finished(command.error().code);
  }
  perigee::set_thread_stack(perigee::kLuaStack + perigee::kNestingStack);
  try {
    return finished(run(*command));
  } catch (const std::bad_alloc&) {
    std::fputs("perigee: out of memory\n", stderr);
    return 1;
  } catch (const std::system_error& refusal) {
    std::fprintf(stderr, "perigee: the system refuses a thread: %s\n", refusal.what());
    return 1;
  }
}
