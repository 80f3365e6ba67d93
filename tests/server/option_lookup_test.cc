#include "server/option_lookup.h"

#include <catch2/catch.hpp>

using namespace perigee::server;

TEST_CASE("option lookup: an option is found in its section, or in any") {
  CHECK(find_option("server", "listen")->member == OptionMember(&Options::listen));
  CHECK(find_option("admin", "listen")->member == OptionMember(&Options::admin_listen));
  CHECK(find_option("", "token")->section == "admin");
  CHECK(find_option("server", "token") == nullptr);
  CHECK(find_option("", "") == nullptr);
  CHECK(find_option("app", "anything") == nullptr);
}

TEST_CASE("option lookup: sections are those of the table, and [app]") {
  const auto [name, known] = GENERATE(table<std::string, bool>({
      {"server", true},
      {"http", true},
      {"limits", true},
      {"log", true},
      {"admin", true},
      {"shared", true},
      {"app", true},
      {"tls", false},
      {"Server", false},
      {"", false},
  }));
  CHECK(is_section(name) == known);
}

TEST_CASE("option lookup: a wrong name comes with the right one, if one is near") {
  CHECK(unknown_key("server", "lisen") == "unknown key 'lisen' in [server]; did you mean 'listen'?");
  CHECK(unknown_key("server", "token") == "unknown key 'token' in [server]; did you mean 'token' in [admin]?");
  CHECK(unknown_key("server", "zebra") == "unknown key 'zebra' in [server]");
  CHECK(unknown_key("", "pni") == "unknown key 'pni' outside of every section; did you mean 'pin' in [server]?");
  CHECK(unknown_section("limit") == "unknown section [limit]; did you mean [limits]?");
  CHECK(unknown_section("ap") == "unknown section [ap]; did you mean [app]?");
  CHECK(unknown_section("websocket") == "unknown section [websocket]");
}
