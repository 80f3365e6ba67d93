#include "server/command_line.h"

#include <catch2/catch.hpp>

using namespace perigee::server;
using Command = CommandLine::Command;
using Words = std::vector<const char*>;
using Sets = std::vector<std::string>;

namespace {

CommandLine read(const Words& words) {
  const auto line = parse_command_line(words);
  REQUIRE(line);
  return *line;
}

CommandLineExit refused(const Words& words) {
  const auto line = parse_command_line(words);
  REQUIRE_FALSE(line);
  return line.error();
}

}  // namespace

TEST_CASE("command line: each command has its name") {
  const auto [words, command] = GENERATE(table<Words, Command>({
      {{"serve"}, Command::kServe},
      {{"check"}, Command::kCheck},
      {{"reload"}, Command::kReload},
      {{"health"}, Command::kHealth},
      {{"routes"}, Command::kRoutes},
      {{"test"}, Command::kTest},
      {{"bench"}, Command::kBench},
      {{"new", "folder"}, Command::kNew},
      {{"version"}, Command::kVersion},
      {{"--version"}, Command::kVersion},
  }));
  CHECK(read(words).command == command);
}

TEST_CASE("command line: the configuration is conf/server.toml unless another is given") {
  CHECK(read({"serve"}).config_path == "conf/server.toml");
  CHECK_FALSE(read({"serve"}).config_given);
  const Words words =
      GENERATE(values<Words>({{"serve", "-c", "x.toml"}, {"check", "-cx.toml"}, {"reload", "--config=x.toml"}}));
  CHECK(read(words).config_path == "x.toml");
  CHECK(read(words).config_given);
}

TEST_CASE("command line: flags become overrides, after those of --set") {
  const auto [words, sets] = GENERATE(table<Words, Sets>({
      {{"serve"}, {}},
      {{"serve", "--set", "a.b=c", "--set=d.e=-1"}, {"a.b=c", "d.e=-1"}},
      {{"serve", "--listen", ":1"}, {"server.listen=[\":1\"]"}},
      {{"serve", "--listen", ":1", "--listen=[::1]:2"}, {"server.listen=[\":1\", \"[::1]:2\"]"}},
      {{"check", "--app", "a\"b.lua"}, {"server.app=\"a\\\"b.lua\""}},
      {{"check", "--app", ""}, {"server.app=\"\""}},
      {{"routes", "--workers", "4"}, {"server.workers=4"}},
      {{"reload", "--admin", "off"}, {"admin.listen=\"off\""}},
      {{"health", "--admin", ":2"}, {"admin.listen=\":2\""}},
      {{"profile", "--admin", "http://127.0.0.1:9145"}, {"admin.listen=\"127.0.0.1:9145\""}},
      {{"reload", "--admin", "http://[::1]:9145/"}, {"admin.listen=\"[::1]:9145\""}},
      {{"profile", "--admin=unix:/run/admin"}, {"admin.listen=\"unix:/run/admin\""}},
      {{"serve", "--admin", ":1", "--set", "a.b=c"}, {"a.b=c", "admin.listen=\":1\""}},
  }));
  CHECK(read(words).sets == sets);
}

TEST_CASE("command line: an admin port's URL that is no address is refused, and why") {
  const auto [url, why] = GENERATE(table<std::string, std::string>({
      {"https://127.0.0.1:1", "speaks HTTP, not https"},
      {"http://127.0.0.1:1/metrics", "says more than an address"},
      {"http://me@127.0.0.1:1", "says more than an address"},
      {"http://127.0.0.1:1?x", "says more than an address"},
  }));
  const CommandLineExit exit = refused({"profile", "--admin", url.c_str()});
  CHECK(exit.code == 1);
  CHECK(exit.text.find("--admin: ") != std::string::npos);
  CHECK(exit.text.find(why) != std::string::npos);
  CHECK(exit.text.find("write http://HOST:PORT or HOST:PORT") != std::string::npos);
}

TEST_CASE("command line: test takes paths and says how to go about them") {
  const CommandLine line = read({"test", "tests", "a_spec.lua", "--filter", "x", "--seed", "7", "--jobs", "2",
                                 "--timeout", "0.5", "--junit", "out.xml"});
  CHECK(line.paths == std::vector<std::string>{"tests", "a_spec.lua"});
  CHECK(line.test.filter == "x");
  CHECK(line.test.seed == 7);
  CHECK(line.test.jobs == 2);
  CHECK(line.test.time_limit == 0.5);
  CHECK(line.test.junit == "out.xml");
  CHECK(read({"test"}).test.seed == -1);
  CHECK(read({"test", "--filter-out", "y"}).test.filter_out == "y");
  using Tags = std::vector<std::string>;
  const CommandLine tagged = read({"test", "-t", "slow,#net", "--tags", "db", "--exclude-tags", "x", "tests"});
  CHECK(tagged.test.tags == Tags{"slow", "net", "db"});
  CHECK(tagged.test.exclude_tags == Tags{"x"});
  CHECK(tagged.paths == Tags{"tests"});
  CHECK(refused({"test", "--tags", "a,b", "--exclude-tags", "b"}).text ==
        "perigee: --tags and --exclude-tags name the same tag, 'b'\nTry 'perigee test --help'.\n");
  CHECK(refused({"test", "--seed", "-1"}).code == 1);
  CHECK(refused({"test", "--timeout", "0"}).code == 1);
}

TEST_CASE("command line: a filter is a Lua pattern") {
  const auto [command, flag] = GENERATE(
      table<const char*, const char*>({{"test", "--filter"}, {"test", "--filter-out"}, {"bench", "--filter"}}));
  CHECK(read({command, flag, "^a[%w_]*$"}).test.filter_out.empty() == (std::string_view(flag) == "--filter"));
  const CommandLineExit exit = refused({command, flag, "a["});
  CHECK(exit.code == 1);
  CHECK(exit.text == "perigee: " + std::string(flag) + ": 'a[' is no Lua pattern: malformed pattern (missing ']')\n" +
                         "Try 'perigee " + command + " --help'.\n");
}

TEST_CASE("command line: bench takes paths and counts, or two files to compare") {
  const CommandLine line = read({"bench", "bench", "--count", "6", "--time", "0.5", "--filter", "x"});
  CHECK(line.paths == std::vector<std::string>{"bench"});
  CHECK(line.bench.count == 6);
  CHECK(line.bench.seconds == 0.5);
  CHECK(read({"bench", "--compare", "a", "b"}).bench.compare == std::vector<std::string>{"a", "b"});
  CHECK(refused({"bench", "--compare", "a"}).code == 1);
  CHECK(refused({"bench", "--count", "0"}).code == 1);
}

TEST_CASE("command line: --json belongs to routes") {
  CHECK(read({"routes", "--json"}).json);
  CHECK_FALSE(read({"routes"}).json);
  CHECK(refused({"serve", "--json"}).code == 1);
}

TEST_CASE("command line: a recording lasts for a number of seconds, and a count of calls has no kind and no rate") {
  CHECK(read({"profile", "--seconds", "2.5"}).profile.seconds == 2.5);
  for (const char* const seconds : {"nan", "-nan", "inf", "0", "601", "x"}) {
    CHECK(refused({"profile", "--seconds", seconds}).code == 1);
  }
  CHECK(refused({"test", "--timeout", "nan"}).code == 1);
  CHECK(read({"profile", "--table"}).profile.table);
  CHECK(refused({"profile", "alloc", "--table"}).code == 1);
  CHECK(refused({"profile", "--table", "--hz", "9"}).code == 1);
}

TEST_CASE("command line: help is asked for in every usual way") {
  const Words words = GENERATE(values<Words>({{"--help"}, {"-h"}, {"help"}}));
  CHECK(refused(words).code == 0);
  CHECK(refused(words).text.find("perigee serve --app lua/app.lua") != std::string::npos);
  const Words of_serve = GENERATE(values<Words>({{"serve", "--help"}, {"help", "serve"}, {"serve", "-h"}}));
  CHECK(refused(of_serve).code == 0);
  for (const char* flag : {"--config", "--app", "--listen", "--workers", "--admin", "--set"}) {
    CHECK(refused(of_serve).text.find(flag) != std::string::npos);
  }
}

TEST_CASE("command line: no command prints the help and fails") {
  CHECK(refused({}).code == 1);
  CHECK(refused({}).text == refused({"--help"}).text);
}

TEST_CASE("command line: bad usage is one line, with the nearest right word and where to read on") {
  const auto [words, expected] = GENERATE(table<Words, std::string>({
      {{"sevre"}, "perigee: unknown command 'sevre'; did you mean 'serve'?\nTry 'perigee --help'.\n"},
      {{"zebra"}, "perigee: unknown command 'zebra'\nTry 'perigee --help'.\n"},
      {{""}, "perigee: unknown command ''\nTry 'perigee --help'.\n"},
      {{"--josn"}, "perigee: unknown argument '--josn'\nTry 'perigee --help'.\n"},
      {{"serve", "--lisen=:1"},
       "perigee: unknown argument '--lisen'; did you mean '--listen'?\nTry 'perigee serve --help'.\n"},
      {{"serve", "app.lua"},
       "perigee: unknown argument 'app.lua'; did you mean '--app app.lua'?\nTry 'perigee serve --help'.\n"},
      {{"health", "app.lua"}, "perigee: unknown argument 'app.lua'\nTry 'perigee health --help'.\n"},
      {{"serve", "check"}, "perigee: unknown argument 'check'\nTry 'perigee serve --help'.\n"},
      {{"reload", "--workers", "3"}, "perigee: unknown argument '--workers'\nTry 'perigee reload --help'.\n"},
      {{"serve", "--app"}, "perigee: --app: 1 required FILE missing\nTry 'perigee serve --help'.\n"},
  }));
  CHECK(refused(words).code == 1);
  CHECK(refused(words).text == expected);
}
