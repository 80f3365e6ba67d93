#include "server/config_loader.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "scratch.h"

using namespace perigee::server;

namespace {

// Loads `text` as "FILE"; the mistakes, a line each, or "".
std::string mistakes_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const Scratch scratch;
  const std::string path = scratch.file("server.toml", text);
  const auto loaded = load_options(path, overrides);
  std::string lines;
  if (!loaded) {
    for (const ConfigMistake& mistake : loaded.error()) {
      const std::string line = mistake.text();
      lines += (line.starts_with(path) ? "FILE" + line.substr(path.size()) : line) + "\n";
    }
  }
  return lines;
}

Options options_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const Scratch scratch;
  const auto loaded = load_options(scratch.file("server.toml", text), overrides);
  REQUIRE(loaded);
  return *loaded;
}

}  // namespace

TEST_CASE("config loader: no file gives the defaults") {
  const auto loaded = load_options("", {});
  REQUIRE(loaded);
  CHECK(loaded->listen == Options{}.listen);
  CHECK(loaded->app_config == "{}");
}

TEST_CASE("config loader: a file sets what it names and nothing else") {
  const Options options = options_of(R"(
server.workers = 3
[http]
head = "64KiB"
field_line = 9_000
idle_timeout = 5
write_timeout = 0.5
[log]
level = "warn"
access_skip = []
[admin]
listen = "off"
)");
  CHECK(options.workers == 3);
  CHECK(options.head == 65'536);
  CHECK(options.field_line == 9'000);
  CHECK(options.idle_timeout == 5);
  CHECK(options.write_timeout == 0.5);
  CHECK(options.log_level == "warn");
  CHECK(options.access_skip.empty());
  CHECK(options.admin_listen == "off");
  CHECK(options.fields == 100);
}

TEST_CASE("config loader: each kind of mistake has its place and its remedy") {
  ::unsetenv("PERIGEE_TEST_NONE");
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"[server]\nlisen = 3\n", "FILE:2:1: unknown key 'lisen' in [server]; did you mean 'listen'?\n"},
      {"[limits]\n  head = 3\n", "FILE:2:3: unknown key 'head' in [limits]; did you mean 'head' in [http]?\n"},
      {"[server]\nzebra = 3\n", "FILE:2:1: unknown key 'zebra' in [server]\n"},
      {"workrs = 3\n",
       "FILE:1:1: unknown key 'workrs' outside of every section; did you mean 'workers' in [server]?\n"},
      {"[sever]\n", "FILE:1:2: unknown section [sever]; did you mean [server]?\n"},
      {"[[sever]]\n", "FILE:1:3: unknown section [sever]; did you mean [server]?\n"},
      {"[websocket]\nidle = 3\n", "FILE:1:2: unknown section [websocket]\n"},
      {"[shared.cache]\nsice = 3\n", "FILE:2:1: unknown key 'sice' in [shared.cache]; did you mean 'size'?\n"},
      {"[shared.cache]\npin = 3\n", "FILE:2:7: shared.cache.pin takes true or false, not an integer\n"},
      {"[shared.cache]\nsize = '1kB'\n", "FILE:2:8: shared.cache.size takes a size from 64KiB to 1TiB, not 1000\n"},
      {"[shared.'']\nsize = '1MB'\n",
       "FILE:1:9: the name of a shared dictionary has 1 to 100 bytes, and no control characters\n"},
      {"[shared]\nsise = 3\n", "FILE:2:1: unknown key 'sise' in [shared]; did you mean 'size'?\n"},
      {"server = 3\n", "FILE:1:1: [server] is a section, not an integer\n"},
      {"[[http]]\n", "FILE:1:3: [http] is a section, not a list\n"},
      {"app = 'lua/app.lua'\n", "FILE:1:1: [app] is a section, not a string\n"},
      {"[server]\nworkers = 257\n", "FILE:2:11: server.workers takes an integer from 0 to 256, not 257\n"},
      {"[server]\npin = { a = 1 }\n", "FILE:2:7: server.pin takes true or false, not a table\n"},
      {"[limits]\ntime = 12:00:00\n", "FILE:2:8: limits.time takes seconds from 0.01 to 86400, not a date or time\n"},
      {"[limits]\ntime = [3]\n", "FILE:2:8: limits.time takes seconds from 0.01 to 86400, not a list\n"},
      {"[server]\nlisten = ':80'\n", "FILE:2:10: server.listen takes a list of 1 to 64 strings, not a string\n"},
      {"[server]\nlisten = [\n':80',\n3 ]\n",
       "FILE:4:1: server.listen is a list of strings, which cannot hold an integer\n"},
      {"[server]\nlisten = [\n':80',\n 'x:80' ]\n",
       "FILE:4:2: server.listen takes HOST:PORT, [IPV6]:PORT or unix:PATH, with an IP address or localhost and a port "
       "from 0 to 65535\n"},
      {"[http]\nhead = '4KiB'\n",
       "FILE:2:8: http.head is smaller than http.request_line, a part of it\n"
       "FILE:2:8: http.head is smaller than http.field_line, a part of it\n"},
      {"[admin]\nlisten = ':9145'\n", "FILE:2:10: admin.listen is not a loopback address: set admin.token as well\n"},
      {"[server]\napp = '${PERIGEE_TEST_NONE}'\n", "FILE:2:7: '${PERIGEE_TEST_NONE}' is not set in the environment\n"},
      {"[server]\nlisten = ['${file:/nowhere}']\n",
       "FILE:2:11: '${file:/nowhere}' cannot be read: No such file or directory\n"},
      {"[app]\nx = [1, nan]\n", "FILE:2:9: [app] holds a number that is not finite, which JSON cannot say\n"},
      {"[app]\nx.y = '${PERIGEE_TEST_NONE}'\n", "FILE:2:7: '${PERIGEE_TEST_NONE}' is not set in the environment\n"},
      {"[server]\npin = true\npin = true\n",
       "FILE:3:7: Error while parsing key-value pair: cannot redefine existing boolean 'pin'\n"},
      {"[server\n", "FILE:1:8: Error while parsing table header: expected ']', saw '\\n'\n"},
      {"[server]\n\"a\\nb\" = 1\n", "FILE:2:1: unknown key 'a b' in [server]\n"},
  }));
  CHECK(mistakes_of(text) == expected);
}

TEST_CASE("config loader: every mistake is told at once, in the order of the file, overrides last") {
  CHECK(mistakes_of("[server]\nworkers = -1\npin = 1\n[app]\nx = inf\n[sever]\n", {"log.levl=info", "x"}) ==
        "FILE:2:11: server.workers takes an integer from 0 to 256, not -1\n"
        "FILE:3:7: server.pin takes true or false, not an integer\n"
        "FILE:5:5: [app] holds a number that is not finite, which JSON cannot say\n"
        "FILE:6:2: unknown section [sever]; did you mean [server]?\n"
        "command line: unknown option 'log.levl'; did you mean 'log.level'?\n"
        "command line: an override is written section.key=value\n");
}

TEST_CASE("config loader: a mistake in one option is not also blamed on another") {
  CHECK(mistakes_of("[admin]\nlisten = ':1'\ntoken = '${file:/nowhere}'\n") ==
        "FILE:3:9: '${file:/nowhere}' cannot be read: No such file or directory\n");
  CHECK(mistakes_of("[http]\nrequest_line = true\nfield_line = 64\nhead = 256\n") ==
        "FILE:2:16: http.request_line takes a size from 64 to 1MiB, not a boolean\n");
  CHECK(mistakes_of("x = \n[admin]\ntoken = 'hush'\n", {"admin.listen=:1"}) ==
        "FILE:1:5: Error while parsing key-value pair: expected value, saw '\\n'\n");
}

TEST_CASE("config loader: a file that cannot be read is one line") {
  const auto loaded = load_options("/nowhere/server.toml", {});
  REQUIRE_FALSE(loaded);
  REQUIRE(loaded.error().size() == 1);
  CHECK(loaded.error()[0].text() ==
        "/nowhere/server.toml: the configuration cannot be read: No such file or directory");
}

TEST_CASE("config loader: no message shows a secret") {
  const Scratch scratch;
  ::setenv("PERIGEE_TEST_SECRET", "hushhush", 1);
  const std::string secret = "\"${file:" + scratch.file("secret", "hushhush\n") + "}\"";
  const std::string line = GENERATE_COPY(values<std::string>({
      "[admin]\ntoken = hushhush",
      "[admin]\ntoken = thushhush",
      "[admin]\ntoken = 123456789012345678901234567890",
      "[admin]\ntoken = \"hushhush",
      "[admin]\ntoken = [\"hushhush\"]",
      "[admin]\nlisten = \"${PERIGEE_TEST_SECRET}\"",
      "[admin]\nlisten = " + secret,
      "[server]\nlisten = [" + secret + "]",
      "[server]\naccept = " + secret,
      "[http]\nhead = " + secret,
      "[log]\naccess_skip = [" + secret + "]",
  }));
  const std::string mistakes = mistakes_of(line);
  CAPTURE(line, mistakes);
  CHECK_FALSE(mistakes.empty());
  CHECK(mistakes.find("hushhush") == std::string::npos);
  CHECK(mistakes.find("12345678901") == std::string::npos);
  CHECK(mistakes_of("", {"admin.tken=hushhush", "hushhush"}).find("hush") == std::string::npos);
}

TEST_CASE("config loader: strings are expanded, in lists and sizes too") {
  const Scratch scratch;
  ::setenv("PERIGEE_TEST_PORT", "8081", 1);
  const Options options = options_of(
      "[server]\nlisten = ['127.0.0.1:${PERIGEE_TEST_PORT}']\n[limits]\nbody = "
      "'${PERIGEE_TEST_PORT}kB'\n[admin]\ntoken = '${file:" +
      scratch.file("token", "hush\n") + "}'\n");
  CHECK(options.listen == std::vector<std::string>{"127.0.0.1:8081"});
  CHECK(options.body == 8'081'000);
  CHECK(options.admin_token == "hush");
}

TEST_CASE("config loader: an override is TOML, or else a string") {
  CHECK(options_of("[server]\nworkers = 3\n", {"server.workers=4", "server.workers=5"}).workers == 5);
  CHECK(options_of("", {"server.app=lua/other.lua"}).app == "lua/other.lua");
  CHECK(options_of("", {"server.app=\"lua/other.lua\""}).app == "lua/other.lua");
  CHECK(options_of("", {"admin.token=12345"}).admin_token == "12345");
  CHECK(options_of("", {"admin.token=a=b"}).admin_token == "a=b");
  CHECK(options_of("", {"server.user="}).user.empty());
  CHECK(options_of("", {"limits.body=1MiB"}).body == 1'048'576);
  CHECK(options_of("", {"limits.body=17"}).body == 17);
  CHECK(options_of("", {"server.pin=true"}).pin);
  CHECK(options_of("", {"server.listen=:1"}).listen == std::vector<std::string>{":1"});
  CHECK(options_of("", {"server.listen=[\":1\", \":2\"]"}).listen == std::vector<std::string>{":1", ":2"});
}

TEST_CASE("config loader: an override with a mistake says so") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"server.workers=many", "command line: server.workers takes an integer from 0 to 256, not a string\n"},
      {"workers=3", "command line: an override is written section.key=value, not workers=\n"},
      {"server.workers", "command line: an override is written section.key=value\n"},
      {"", "command line: an override is written section.key=value\n"},
      {"sever.workers=3", "command line: unknown section [sever]; did you mean [server]?\n"},
      {"server.app=x\nserver.pin = true", "command line: server.app cannot hold control characters\n"},
      {"server.pin=yes", "command line: server.pin takes true or false, not a string\n"},
      {"admin.listen=:1", "command line: admin.listen is not a loopback address: set admin.token as well\n"},
      {"app.=3", "command line: an override of [app] is written app.key=value or app.table.key=value\n"},
      {"app.a..b=3", "command line: an override of [app] is written app.key=value or app.table.key=value\n"},
      {"app.n.x=3", "command line: app.n.x lies within an integer, not a table\n"},
      {"app.x=nan", "command line: [app] holds a number that is not finite, which JSON cannot say\n"},
  }));
  CHECK(mistakes_of("[app]\nn = 1\n", {text}) == expected);
}

TEST_CASE("config loader: [app] becomes JSON") {
  ::setenv("PERIGEE_TEST_A", "al\"pha", 1);
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", "{}"},
      {"a = {}\nb = []", R"({"a":{},"b":[]})"},
      {"a = 1\nb = -0.5\nc = 1e30\nd = 2.0", R"({"a":1,"b":-0.5,"c":1e+30,"d":2})"},
      {"a = 9223372036854775807", R"({"a":9223372036854775807})"},
      {"a = true\nb = false", R"({"a":true,"b":false})"},
      {"a = \"x\\n\\u0001\"", R"({"a":"x\n\u0001"})"},
      {"\"k\\\"\" = \"${PERIGEE_TEST_A}\"", R"({"k\"":"al\"pha"})"},
      {"a = '$${x}'", R"({"a":"${x}"})"},
      {"a = [1, 'x', [2], { b = 3 }]", R"({"a":[1,"x",[2],{"b":3}]})"},
      {"[app.db]\nhost = 'h'\n[[app.list]]\nx = 1\n[[app.list]]\nx = 2",
       R"({"db":{"host":"h"},"list":[{"x":1},{"x":2}]})"},
      {"a = 1979-05-27", R"({"a":"1979-05-27"})"},
      {"a = 07:32:00", R"({"a":"07:32:00"})"},
      {"a = 1979-05-27T07:32:00", R"({"a":"1979-05-27T07:32:00"})"},
      {"a = 1979-05-27T00:32:00-07:00", R"({"a":"1979-05-27T00:32:00-07:00"})"},
      {"a = 1979-05-27T07:32:00Z", R"({"a":"1979-05-27T07:32:00Z"})"},
  }));
  CHECK(options_of("[app]\n" + text).app_config == expected);
}

TEST_CASE("config loader: overrides reach into [app]") {
  CHECK(options_of("[app]\na = 1\nt.x = 1\n", {"app.a=two", "app.t.y=[3]", "app.new.deep=true", "app.t.x=5"})
            .app_config == R"({"a":"two","new":{"deep":true},"t":{"x":5,"y":[3]}})");
}

TEST_CASE("config: shared dictionaries have sections of their own, and the default size otherwise") {
  Scratch scratch;
  const std::string path =
      scratch.file("server.toml", "[shared]\nsize = '1MB'\n[shared.big]\nsize = '20MB'\n[shared.kept]\npin = true\n");
  const auto loaded = load_options(path, {"shared.more.pin=true", "shared.big.size=30MB"});
  REQUIRE(loaded);
  CHECK(loaded->shared_size == 1'000'000);
  CHECK(loaded->shared.size() == 3);
  CHECK(loaded->shared.at("big") == DictionaryOptions{30'000'000, false});
  CHECK(loaded->shared.at("kept") == DictionaryOptions{1'000'000, true});
  CHECK(loaded->shared.at("more") == DictionaryOptions{1'000'000, true});
}
