#include "server/development.h"

#include <catch2/catch.hpp>

using namespace perigee::server;
using Strings = std::vector<std::string>;

TEST_CASE("development: old versions drain within a second, and in production as configured") {
  Options options;
  soften_for_development(options);
  CHECK(options.drain == 30);
  options.dev = true;
  soften_for_development(options);
  CHECK(options.drain == 1);
  options.drain = 0.5;
  soften_for_development(options);
  CHECK(options.drain == 0.5);
}

TEST_CASE("development: the app's folder and the configuration are watched") {
  Options options;
  options.app = "lua/app.lua";
  options.dev_watch = {".lua"};
  options.dev_ignore = {"out"};
  options.dev_folders = 7;
  const auto settings = watch_settings(options, "conf/server.toml");
  CHECK(settings.folders == Strings{"lua"});
  CHECK(settings.files == Strings{"conf/server.toml"});
  CHECK(settings.endings == Strings{".lua"});
  CHECK(settings.ignored == Strings{"out"});
  CHECK(settings.most_folders == 7);
  options.app = "app.lua";
  CHECK(watch_settings(options, "").folders == Strings{"."});
  CHECK(watch_settings(options, "").files.empty());
}

TEST_CASE("development: an address that others reach is warned of") {
  Options options;
  options.listen = {"127.0.0.1:8080", "[::1]:80", "unix:/tmp/socket"};
  CHECK(development_warnings(options).size() == 1);
  options.listen = {"0.0.0.0:8080"};
  REQUIRE(development_warnings(options).size() == 2);
  CHECK(development_warnings(options)[1].find("0.0.0.0:8080") != std::string::npos);
}
