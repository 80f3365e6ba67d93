#include "server/place_checks.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "scratch.h"

using perigee::server::check_places;
using perigee::server::Options;

namespace {

std::string faults_of(const Options& options) {
  std::string text;
  for (const auto& fault : check_places(options)) {
    text += fault.message + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("place checks: the defaults have no fault") {
  CHECK(faults_of({}).empty());
}

TEST_CASE("place checks: users and groups that do not exist are named") {
  Options options;
  options.user = "no-such-user";
  CHECK(faults_of(options) == "server.user: there is no user 'no-such-user'\n");
  options.group = "no-such-group";
  CHECK(faults_of(options) ==
        "server.user: there is no user 'no-such-user'\nserver.group: there is no group 'no-such-group'\n");
  options.user = "nobody";
  options.group = "";
  CHECK(faults_of(options).empty());
}

TEST_CASE("place checks: a log goes to a file that can be written or made") {
  const Scratch scratch;
  Options options;
  options.access = scratch.path("access.log");
  options.log_error = scratch.file("error.log", "");
  CHECK(faults_of(options).empty());
  CHECK_FALSE(std::filesystem::exists(options.access));
  options.access = scratch.path("none/access.log");
  options.log_error = scratch.path("");
  CHECK(faults_of(options) == "log.access: '" + options.access + "': its folder '" + scratch.path("none") +
                                  "': No such file or directory\nlog.error: '" + options.log_error +
                                  "': is a folder\n");
  options.access = scratch.file("file", "") + "/access.log";
  options.log_error = "stderr";
  CHECK(faults_of(options) == "log.access: '" + options.access + "': Not a directory\n");
}

TEST_CASE("place checks: the session file is one that the server's user can write, with others beside it") {
  const Scratch scratch;
  Options options;
  options.session_file = scratch.path("sessions.db");
  CHECK(faults_of(options).empty());
  CHECK_FALSE(std::filesystem::exists(options.session_file));
  options.session_file = scratch.path("none/sessions.db");
  CHECK(faults_of(options) == "session.file: '" + options.session_file + "': its folder '" + scratch.path("none") +
                                  "': No such file or directory\n");
  options.user = "nobody";
  options.session_file = scratch.path("sessions.db");
  const std::string closed = "session.file: '" + options.session_file + "': its folder '" +
                             std::filesystem::path(options.session_file).parent_path().string() +
                             "' can't be written\n";
  REQUIRE(chmod(scratch.path("").c_str(), 0755) == 0);
  CHECK(faults_of(options) == closed);
  REQUIRE(chmod(scratch.path("").c_str(), 0777) == 0);
  CHECK(faults_of(options).empty());
  (void)scratch.file("sessions.db", "");
  REQUIRE(chmod(options.session_file.c_str(), 0600) == 0);
  CHECK(faults_of(options) == "session.file: '" + options.session_file + "': can't be written\n");
  REQUIRE(chmod(options.session_file.c_str(), 0666) == 0);
  CHECK(faults_of(options).empty());
  REQUIRE(chmod(scratch.path("").c_str(), 0755) == 0);
  CHECK(faults_of(options) == closed);
}
