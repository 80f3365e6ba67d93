#include "state/session_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "../server/scratch.h"
#include "state/session_data.h"

using perigee::state::SessionEntries;
using perigee::state::SessionFile;
using perigee::state::SessionRow;
using perigee::state::SessionToken;
using perigee::state::ValueKind;

namespace {

std::shared_ptr<const std::string> data(std::string_view value) {
  std::string bytes;
  SessionEntries::append(bytes, "key", {ValueKind::kString, 0, value});
  return std::make_shared<const std::string>(bytes);
}

SessionRow row(std::uint64_t id, std::string_view value) {
  SessionRow row;
  row.id = id;
  row.digest = SessionToken::digest(std::to_string(id));
  row.created = perigee::monotonic_ms() - 5000;
  row.used = perigee::monotonic_ms() - 1000;
  row.data = data(value);
  return row;
}

std::string error_of(const std::string& path) {
  const auto file = SessionFile::open(path);
  if (!file) {
    return file.error().message;
  }
  const auto read = (*file)->read([](const SessionRow&) {});
  return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("session file: what was written is read after it was opened again") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  const SessionRow one = row(0xffffffffffffff12U, std::string("a\0b", 3));
  const SessionRow two = row(7, "old");
  {
    const auto file = SessionFile::open(path);
    REQUIRE(file);
    REQUIRE((*file)->write({&one, &two}));
    SessionRow changed = row(7, "new");
    SessionRow gone = row(8, "x");
    REQUIRE((*file)->write({&changed, &gone}));
    gone.data = nullptr;
    REQUIRE((*file)->write({&gone}));
    const auto found = (*file)->find(7);
    REQUIRE((found && found->has_value()));
    CHECK(*(*found)->data == *data("new"));
    CHECK_FALSE((*file)->find(8)->has_value());
  }
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto file = SessionFile::open(path);
  REQUIRE(file);
  std::size_t count = 0;
  REQUIRE((*file)->read([&](const SessionRow& read) {
    ++count;
    if (read.id == one.id) {
      CHECK(read.digest == one.digest);
      CHECK(*read.data == *one.data);
      CHECK(std::abs(read.created - one.created) < 50);
      CHECK(std::abs(read.used - one.used) < 50);
    }
  }));
  CHECK(count == 2);
}

TEST_CASE("session file: a second process is told that it is in use") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  const auto file = SessionFile::open(path);
  REQUIRE(file);
  CHECK_THAT(error_of(path), Catch::Contains("is in use by another process"));
}

TEST_CASE("session file: what is no file of sessions says so") {
  const Scratch scratch;
  CHECK_THAT(error_of(scratch.path("none/sessions.db")), Catch::Contains("No such file or directory"));
  CHECK_THAT(error_of(scratch.path("")), Catch::Contains("session.file"));
  CHECK_THAT(error_of(scratch.file("text", std::string(5000, 'x'))), Catch::Contains("not a database"));
}

TEST_CASE("session file: a damaged one is seen") {
  const Scratch scratch;
  const std::string path = scratch.path("sessions.db");
  const SessionRow one = row(5, "the value that somebody changes");
  REQUIRE((*SessionFile::open(path))->write({&one}));
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const std::size_t at = bytes.find("that somebody");
  REQUIRE(at != std::string::npos);
  bytes[at] = 'T';
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK_THAT(error_of(path), Catch::Contains("is damaged: session 5"));
  std::ofstream(path, std::ios::binary) << bytes.substr(0, 5000);
  CHECK_THAT(error_of(path), Catch::Contains("session.file"));
}
