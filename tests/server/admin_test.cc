#include "server/admin.h"

#include <catch2/catch.hpp>

using perigee::net::SocketAddress;
using perigee::server::admin_options;
using perigee::server::Options;
using perigee::server::reload_json;
using perigee::server::ReloadResult;

TEST_CASE("admin: its app is told the token and the names it may be asked by") {
  const auto [address, token, config] = GENERATE(table<std::string, std::string, std::string>({
      {"127.0.0.1:9145", "", R"({"token":"","hosts":["localhost","127.0.0.1","[::1]","127.0.0.1"]})"},
      {"127.0.0.9:9145", "", R"({"token":"","hosts":["localhost","127.0.0.1","[::1]","127.0.0.9"]})"},
      {"[::1]:9145", "", R"({"token":"","hosts":["localhost","127.0.0.1","[::1]","[::1]"]})"},
      {"10.0.0.1:9145", "s\"ecret", R"({"token":"s\"ecret","hosts":["*"]})"},
      {"*:9145", "t", R"({"token":"t","hosts":["*"]})"},
  }));
  Options options;
  options.admin_token = token;
  CHECK(admin_options(options, *SocketAddress::parse(address)).app_config == config);
}

TEST_CASE("admin: its worker serves the embedded app, logs no access, and outlasts a reload") {
  Options options;
  options.app = "mine.lua";
  options.access = "stdout";
  options.reload_timeout = 20;
  options.drain = 40;
  const Options admin = admin_options(options, *SocketAddress::parse("127.0.0.1:0"));
  CHECK(admin.app == "embedded:admin.app");
  CHECK(admin.access == "off");
  CHECK(admin.time > 60);
}

TEST_CASE("admin: a reload's result is JSON with every mistake") {
  ReloadResult result;
  result.ok = true;
  result.generation = 7;
  CHECK(reload_json(result) == R"({"ok":true,"generation":7,"mistakes":[]})");
  result = {};
  result.mistakes = {"app.lua:1: \"x\"", "two\nlines"};
  CHECK(reload_json(result) == R"({"ok":false,"generation":0,"mistakes":["app.lua:1: \"x\"","two\nlines"]})");
}
