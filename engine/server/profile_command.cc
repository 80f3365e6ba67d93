#include "server/profile_command.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <future>

#include "server/admin_client.h"
#include "server/command_options.h"
#include "server/command_output.h"

namespace perigee::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr time_t kPatience = 30;  // seconds beyond the recording itself

// A bar on the terminal, as long as the recording lasts; nothing where there is no terminal.
Result<std::string> wait_for(std::future<Result<std::string>> answer, double seconds) {
  constexpr int kCells = 30;
  const bool shows = isatty(STDERR_FILENO) == 1;
  const auto began = Clock::now();
  while (answer.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
    if (shows) {
      const double spent = std::chrono::duration<double>(Clock::now() - began).count();
      const int full = static_cast<int>(kCells * std::min(1.0, spent / seconds));
      std::fprintf(
          stderr, "\rrecording [%s%s] %.0f of %.0f s ", std::string(static_cast<std::size_t>(full), '#').c_str(),
          std::string(static_cast<std::size_t>(kCells - full), '.').c_str(), std::min(spent, seconds), seconds);
    }
  }
  if (shows) {
    std::fprintf(stderr, "\r\x1b[K");
  }
  return answer.get();
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  for (const std::string_view ending : endings) {
    if (text.ends_with(ending)) {
      return true;
    }
  }
  return false;
}

int complain(const std::string& message) {
  print_mistake(message);
  return 1;
}

}  // namespace

std::string profile_target(const std::string& kind, const std::string& file, const std::string& seconds, int hertz) {
  const std::string query = "?seconds=" + seconds + "&hz=" + std::to_string(hertz) + "&type=" + kind;
  if (file.empty()) {
    return "/debug/top" + query;
  }
  if (file.ends_with(".html")) {
    return "/debug/flame.html" + query;
  }
  return (is_folded_name(file) ? "/debug/folded" : "/debug/pprof") + query;
}

bool is_folded_name(std::string_view file) {
  return ends_with_any(file, {".folded", ".txt"});
}

int run_profile(const CommandLine& command) {
  CommandLine located = command;
  const auto options = load_command_options(located);
  if (!options) {
    return 1;
  }
  const ProfileFlags& wanted = command.profile;
  if (wanted.table && ends_with_any(wanted.file, {".pb", ".gz", ".pprof"})) {
    return complain("--table writes text, which " + wanted.file + " does not sound like: name it .txt");
  }
  const bool is_new = !wanted.file.empty() && access(wanted.file.c_str(), F_OK) != 0;
  if (is_new && !write_output(wanted.file, "")) {  // better now than after the recording
    return 1;
  }
  const std::string seconds = std::to_string(wanted.seconds);
  const std::string target = wanted.table ? "/debug/calls?seconds=" + seconds
                                          : profile_target(wanted.kind, wanted.file, seconds, wanted.hertz);
  auto answer = std::async(std::launch::async, [&] {
    return request_text(options->admin_listen, options->admin_token, target,
                        static_cast<time_t>(wanted.seconds) + kPatience);
  });
  const Result<std::string> text = wait_for(std::move(answer), wanted.seconds);
  if (!text) {
    if (is_new) {
      unlink(wanted.file.c_str());
    }
    return complain(text.error().message);
  }
  if (wanted.file.empty()) {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return 0;
  }
  if (!write_output(wanted.file, *text)) {
    return 1;
  }
  std::printf("%s: %zu bytes\n", wanted.file.c_str(), text->size());
  return 0;
}

}  // namespace perigee::server
