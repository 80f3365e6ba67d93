#include "server/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

#include "base/nearest.h"
#include "script/lua_pattern.h"
#include "server/config_value.h"

namespace perigee::server {
namespace {

using Command = CommandLine::Command;

struct CommandSpec {
  Command command;
  std::string_view name;
  const char* sentence;
  const char* story;
};

constexpr std::array kCommands = {
    CommandSpec{Command::kServe, "serve", "Serve an app.",
                "Serves an app until SIGTERM or SIGINT. SIGHUP reloads app and configuration, SIGUSR1 reopens the log "
                "files.\nExample: perigee serve --app lua/app.lua --listen 127.0.0.1:8080"},
    CommandSpec{Command::kCheck, "check", "Load configuration and app, and print every mistake.",
                "Loads configuration and app as serve would and prints every mistake with its file and line.\nExits "
                "with 0 if there is none, else with 1."},
    CommandSpec{Command::kReload, "reload", "Have a running server reload its app and configuration.",
                "Asks a running server, through its admin port, to reload its app and configuration, and waits.\nA "
                "mistake is printed and changes nothing. Exits with 0 once the new app serves, else with 1."},
    CommandSpec{Command::kHealth, "health", "Ask a running server whether it serves.",
                "Asks a running server, through its admin port, whether it serves, and waits five seconds at most.\n"
                "Exits with 0 if it does, else with 1: a health check for containers."},
    CommandSpec{Command::kRoutes, "routes", "List the routes of an app.",
                "Loads the app and prints the method, pattern, types and source line of each route."},
    CommandSpec{
        Command::kProfile, "profile", "Record what a running server does.",
        "Has a running server record, through its admin port, and prints where the time went. With -o it writes a "
        "file: pprof\n(*.pb.gz, for `go tool pprof`), folded stacks (*.folded, *.txt) or a flame graph "
        "(*.html).\nExample: perigee profile --seconds 30 -o flame.html"},
    CommandSpec{
        Command::kTest, "test", "Run an app's tests.",
        "Runs the files *_spec.lua and *_test.lua that are named, or lie in the folders that are named; without "
        "any, in tests, spec and lua.\nExits with 0 if all is well, with 130 after Ctrl-C, else with 1.\nExample: "
        "perigee test "
        "--filter greets tests"},
    CommandSpec{Command::kBench, "bench", "Run an app's benchmarks, or compare two runs.",
                "Runs the files *_bench.lua that are named, or lie in the folders that are named; without any, in "
                "bench, tests, spec and lua. Prints the format of Go's benchmarks.\nExits with 0 if all is well, with "
                "130 after Ctrl-C, else with 1.\nExample: perigee bench --count 6 > new.txt && perigee bench --compare "
                "old.txt new.txt"},
    CommandSpec{
        Command::kNew, "new", "Make a new project.",
        "Makes a small working project in a folder that is empty or not there yet.\nExample: perigee new my-app"},
    CommandSpec{Command::kVersion, "version", "Print the version.", "Prints the version."},
};

// What was given; the defaults are the configuration's.
struct Flags {
  std::optional<std::string> config;
  std::optional<std::string> app;
  std::vector<std::string> listen;
  std::optional<std::string> workers;
  std::optional<std::string> admin;
  bool dev = false;
};

// The admin port as the server names it at its start, as "http://127.0.0.1:9145", becomes its address. Returns what is
// wrong, or "".
std::string read_admin_url(std::string& place) {
  constexpr std::string_view kScheme = "http://";
  const std::string_view forms = "write http://HOST:PORT or HOST:PORT";
  const std::size_t end = place.find("://");
  if (end == std::string::npos) {
    return "";
  }
  if (!place.starts_with(kScheme)) {
    return "the admin port speaks HTTP, not " + place.substr(0, end) + ": " + std::string(forms);
  }
  std::string address = place.substr(kScheme.size());
  if (address.ends_with('/')) {
    address.pop_back();
  }
  if (address.find_first_of("/?#@") != std::string::npos) {
    return "'" + place + "' says more than an address: " + std::string(forms);
  }
  place = std::move(address);
  return "";
}

void add_common_flags(CLI::App& app, CommandLine& line, Flags& flags) {
  app.add_option("-c,--config", flags.config, "Configuration file; without it conf/server.toml, if that is there")
      ->type_name("FILE");
  app.add_option("--admin", flags.admin, "Address of the admin port, or off; http://HOST:PORT will do")
      ->type_name("HOST:PORT")
      ->transform(CLI::Validator(read_admin_url, ""));
  app.add_option("--set", line.sets, "Set any option of the configuration; may be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
}

void add_app_flags(CLI::App& app, Flags& flags) {
  app.add_option("--app", flags.app, "The Lua file that returns the app")->type_name("FILE");
  app.add_option("--listen", flags.listen, "Address to serve on instead of the configured ones; may be repeated")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  app.add_option("--workers", flags.workers, "Worker threads; 0 is one for each core")->type_name("N");
}

// CLI11 takes a number that is none (nan) to be in every range.
CLI::Validator within(double least, double most) {
  const CLI::Range range(least, most);
  return {[range](std::string& text) {
            return std::isnan(std::strtod(text.c_str(), nullptr)) ? "'" + text + "' is no number" : range(text);
          },
          range.get_description()};
}

// A file or folder to be written.
CLI::Option& add_target(CLI::App& app, const char* name, std::string& path, const char* sentence) {
  return *app.add_option(name, path, sentence)
              ->check(CLI::Validator([](const std::string& text) { return text.empty() ? "it has no name" : ""; }, ""));
}

// Tags with commas between them, with or without the "#" that they have in names.
void add_tags(CLI::App& app, const char* name, std::vector<std::string>& tags, const char* sentence) {
  app.add_option(name, tags, sentence)
      ->type_name("TAG")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->transform(CLI::Validator(
          [](std::string& tag) {
            tag.erase(0, tag.starts_with('#') ? 1 : 0);
            return std::string(tag.empty() ? "a tag has no name" : "");
          },
          ""));
}

void add_pattern(CLI::App& app, const char* name, std::string& pattern, const char* sentence) {
  app.add_option(name, pattern, sentence)
      ->type_name("PATTERN")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const std::string_view mistake = script::pattern_mistake(text);
            return mistake.empty() ? "" : "'" + text + "' is no Lua pattern: " + std::string(mistake);
          },
          ""));
}

void add_test_flags(CLI::App& app, CommandLine& line) {
  app.add_option("paths", line.paths, "Files and folders")->type_name("PATH");
  add_pattern(app, "--filter", line.test.filter, "Run only tests whose names match a Lua pattern");
  add_pattern(app, "--filter-out", line.test.filter_out, "Run no tests whose names match a Lua pattern");
  add_tags(app, "-t,--tags", line.test.tags, "Run only tests with one of these #tags in their names: slow,net");
  add_tags(app, "--exclude-tags", line.test.exclude_tags, "Run no tests with one of these #tags");
  app.add_option("--seed", line.test.seed, "The order of an earlier run")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{UINT32_MAX}));
  app.add_option("--jobs", line.test.jobs, "Files at a time; 0 is one for each core")
      ->type_name("N")
      ->check(CLI::Range(0, 256));
  app.add_option("--timeout", line.test.time_limit, "Seconds that a test may take")
      ->type_name("SECONDS")
      ->check(within(0.001, 86400));
  app.add_flag("--coverage", line.test.coverage, "Count which lines of the app run: a table, and a page");
  add_target(app, "--coverage-dir", line.test.coverage_dir, "Where the page goes").type_name("DIR");
  add_target(app, "--junit", line.test.junit, "Write the results to a file, as JUnit's XML").type_name("FILE");
}

void add_bench_flags(CLI::App& app, CommandLine& line) {
  app.add_option("paths", line.paths, "Files and folders")->type_name("PATH");
  add_pattern(app, "--filter", line.test.filter, "Run only benchmarks whose names match a Lua pattern");
  app.add_option("--count", line.bench.count, "Runs of each benchmark")->type_name("N")->check(CLI::Range(1, 1000));
  app.add_option("--time", line.bench.seconds, "Seconds that a run takes, about")
      ->type_name("SECONDS")
      ->check(within(0.001, 3600));
  app.add_option("--timeout", line.bench.time_limit, "Seconds that a run may take; without, 60 or five times --time")
      ->type_name("SECONDS")
      ->check(within(0.001, 86400));
  add_target(app, "--cpuprofile", line.bench.cpu_profile,
             "Write where CPU time went, for pprof; .folded or .txt: stacks")
      .type_name("FILE");
  add_target(app, "--memprofile", line.bench.memory_profile, "Write what Lua allocated, likewise").type_name("FILE");
  app.add_option("--compare", line.bench.compare, "Compare what two earlier runs printed")
      ->type_name("OLD NEW")
      ->expected(2);
}

// One subcommand of the program, with the flags it takes.
void add_command(CLI::App& program, const CommandSpec& spec, CommandLine& line, Flags& flags) {
  CLI::App& app = *program.add_subcommand(std::string(spec.name), spec.sentence);
  app.footer(std::string("\n") + spec.story);
  app.callback([&line, &spec] { line.command = spec.command; });
  switch (spec.command) {
    case Command::kServe:
      app.add_flag("--dev", flags.dev, "Development: reload on save, show errors with source; never in production");
      add_app_flags(app, flags);
      add_common_flags(app, line, flags);
      break;
    case Command::kRoutes:
      app.add_flag("--json", line.json, "Print JSON");
      [[fallthrough]];
    case Command::kCheck:
      add_app_flags(app, flags);
      [[fallthrough]];
    case Command::kReload:
    case Command::kHealth:
      add_common_flags(app, line, flags);
      break;
    case Command::kProfile:
      app.add_option("kind", line.profile.kind, "What to record")
          ->type_name("cpu|alloc|wait|block")
          ->check(CLI::IsMember({"cpu", "alloc", "wait", "block"}));
      app.add_option("--seconds", line.profile.seconds, "How long")->type_name("N")->check(within(0.1, 600));
      app.add_option("--hz", line.profile.hertz, "Samples for each second of CPU time")
          ->type_name("N")
          ->check(CLI::Range(1, 1000));
      app.add_flag(
             "--table", line.profile.table,
             "Count every call instead, for a table of functions and of those never called; slows the server down")
          ->excludes("kind")
          ->excludes("--hz");
      app.add_option("-o,--output", line.profile.file, "Where to write it; without, a table is printed")
          ->type_name("FILE");
      add_common_flags(app, line, flags);
      break;
    case Command::kTest:
      add_test_flags(app, line);
      add_common_flags(app, line, flags);
      break;
    case Command::kBench:
      add_bench_flags(app, line);
      add_common_flags(app, line, flags);
      break;
    case Command::kNew:
      app.add_option("folder", line.folder, "Where the project goes")->type_name("DIR")->required();
      break;
    case Command::kVersion:
      break;
  }
}

// The flags as overrides. They come after --set, so that the shorter word wins.
void append_sets(const Flags& flags, std::vector<std::string>& sets) {
  if (flags.app) {
    sets.push_back("server.app=" + toml_string(*flags.app));
  }
  if (!flags.listen.empty()) {
    std::string list;
    for (const std::string& address : flags.listen) {
      list += (list.empty() ? "" : ", ") + toml_string(address);
    }
    sets.push_back("server.listen=[" + list + "]");
  }
  if (flags.workers) {
    sets.push_back("server.workers=" + *flags.workers);
  }
  if (flags.dev) {
    sets.emplace_back("dev.enabled=true");
  }
  if (flags.admin) {
    sets.push_back("admin.listen=" + toml_string(*flags.admin));
  }
}

CommandLineExit bad_usage(const std::string& message, const std::string& command) {
  return {1, "perigee: " + message + "\nTry 'perigee " + command + "--help'.\n"};
}

CommandLineExit unknown_command(std::string_view word) {
  std::vector<std::string_view> names;
  names.reserve(std::size(kCommands));
  for (const CommandSpec& spec : kCommands) {
    names.push_back(spec.name);
  }
  const std::string_view near = nearest(word, names);
  return bad_usage("unknown command '" + std::string(word) + "'" +
                       (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"),
                   "");
}

CommandLineExit unknown_argument(const CLI::App& app, const std::string& command, const std::string& word) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back("--" + name);
    }
  }
  const std::string flag = word.substr(0, word.find('='));
  const std::vector<std::string_view> candidates(flags.begin(), flags.end());
  const bool is_app = flag.ends_with(".lua") && std::count(flags.begin(), flags.end(), "--app") > 0;
  const std::string_view near = flag.starts_with('-') ? nearest(flag, candidates) : std::string_view();
  const std::string meant = is_app ? "--app " + flag : std::string(near);
  return bad_usage("unknown argument '" + flag + "'" + (meant.empty() ? "" : "; did you mean '" + meant + "'?"),
                   command);
}

CommandLineExit explain(CLI::App& program, const CLI::ParseError& error) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  const CLI::App& app = chosen.empty() ? program : *chosen.front();
  const std::string command = chosen.empty() ? "" : app.get_name() + " ";
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return {0, program.help()};
  }
  if (const std::vector<std::string> rest = program.remaining(true); !rest.empty()) {
    return unknown_argument(app, command, rest.front());
  }
  return bad_usage(error.what(), command);
}

// The arguments in the order CLI11 takes them, last first. "help" is what many try before "--help".
std::vector<std::string> reversed(std::span<const char* const> arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.insert(words.begin() + (words.empty() ? 0 : 1), "--help");
  }
  std::reverse(words.begin(), words.end());
  return words;
}

// The first that is in both lists; "" where none is.
std::string in_both(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  const auto found = std::find_first_of(one.begin(), one.end(), other.begin(), other.end());
  return found == one.end() ? "" : *found;
}

bool is_command(std::string_view word) {
  return std::any_of(kCommands.begin(), kCommands.end(), [word](const CommandSpec& spec) { return spec.name == word; });
}

}  // namespace

tl::expected<CommandLine, CommandLineExit> parse_command_line(std::span<const char* const> arguments) {
  CommandLine line;
  Flags flags;
  bool version = false;
  CLI::App program("Perigee, an application server: native C++ outside, your Lua inside.", "perigee");
  program.require_subcommand(0, 1);
  program.add_flag("--version", version, "Print the version");
  program.footer("\nFirst steps:\n  perigee serve --app lua/app.lua\n  perigee serve --help");
  for (const CommandSpec& spec : kCommands) {
    add_command(program, spec, line, flags);
  }
  std::vector<std::string> words = reversed(arguments);
  if (words.empty()) {
    return tl::unexpected(CommandLineExit{1, program.help()});
  }
  if (!words.back().starts_with('-') && !is_command(words.back())) {
    return tl::unexpected(unknown_command(words.back()));
  }
  try {
    program.parse(words);
  } catch (const CLI::ParseError& error) {
    return tl::unexpected(explain(program, error));
  }
  if (version) {
    line.command = Command::kVersion;
  } else if (program.get_subcommands().empty()) {
    return tl::unexpected(CommandLineExit{1, program.help()});
  }
  if (const std::string tag = in_both(line.test.tags, line.test.exclude_tags); !tag.empty()) {
    return tl::unexpected(bad_usage("--tags and --exclude-tags name the same tag, '" + tag + "'", "test "));
  }
  line.config_given = flags.config.has_value();
  line.config_path = flags.config.value_or(line.config_path);
  append_sets(flags, line.sets);
  return line;
}

}  // namespace perigee::server
