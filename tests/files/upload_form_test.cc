#include "files/upload_form.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "../server/captured_log.h"
#include "../server/scratch.h"

using perigee::files::upload_folder;
using perigee::files::UploadForm;
using perigee::files::UploadSettings;
namespace fs = std::filesystem;

namespace {

const std::string kType = "multipart/form-data; boundary=b";

std::string part(const std::string& fields, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + fields + "\r\n\r\n" + content + "\r\n";
}

std::string content_of(UploadForm::Part& part) {
  std::string bytes(part.content.size(), '\0');
  REQUIRE(part.content.read(0, bytes.data(), bytes.size()));
  return bytes;
}

UploadSettings settings_of(const Scratch& scratch) {
  UploadSettings settings;
  settings.folder = scratch.path("");
  settings.memory = 10;
  settings.parts = 5;
  settings.files = 2;
  return settings;
}

std::ptrdiff_t open_files() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

}  // namespace

TEST_CASE("upload form: fields, small files in memory, large ones on disk") {
  const Scratch scratch;
  const auto before = open_files();
  {
    UploadForm form(kType, settings_of(scratch));
    const std::string body = part("name=a", "1") + part("name=f; filename=s", "small") +
                             part("name=f; filename=l", std::string(100, 'x')) + "--b--\r\n";
    for (const char byte : body) {
      REQUIRE(form.feed({&byte, 1}));
    }
    REQUIRE(form.finish());
    REQUIRE(form.parts().size() == 3);
    CHECK_FALSE(form.parts()[0].is_file());
    CHECK(form.parts()[1].is_file());
    CHECK_FALSE(form.parts()[1].content.on_disk());
    CHECK(form.parts()[2].content.on_disk());
    CHECK(content_of(form.parts()[0]) == "1");
    CHECK(content_of(form.parts()[2]) == std::string(100, 'x'));
    CHECK(open_files() == before + 1);
  }
  CHECK(open_files() == before);
}

TEST_CASE("upload form: a file field that was left empty is none, an empty file is one") {
  const Scratch scratch;
  UploadForm form(kType, settings_of(scratch));
  REQUIRE(form.feed(part("name=f; filename=\"\"", "") + part("name=g; filename=x", "") + part("name=h", "") + "--b--"));
  REQUIRE(form.finish());
  REQUIRE(form.parts().size() == 2);
  CHECK(form.parts()[0].head.name == "g");
  CHECK(form.parts()[1].head.name == "h");
}

TEST_CASE("upload form: what is wrong with it is the client's fault or the disk's, and gives everything back") {
  const Scratch scratch;
  const CapturedLog log;
  const auto before = open_files();
  const std::string large = std::string(100, 'x');
  struct Case {
    std::string type, body;
    int status;
    std::string detail;
  };
  const Case table[] = {
      {"multipart/form-data", "", 400, "boundary"},
      {kType, part("name=a", "1"), 400, "ends before"},
      {kType, part("nome=a", "1"), 400, "name"},
      {kType,
       part("name=a", "") + part("name=a", "") + part("name=a", "") + part("name=a", "") + part("name=a", "") +
           part("name=a", "") + "--b--",
       400, "limits.form_fields"},
      {kType, part("name=a", large) + part("name=a", large) + part("name=a", large) + "--b--", 413,
       "limits.form_files"},
  };
  for (const Case& each : table) {
    UploadForm form(each.type, settings_of(scratch));
    const bool fed = form.feed(each.body);
    CHECK_FALSE((fed && form.finish()));
    CHECK(form.status() == each.status);
    CHECK(form.detail().find(each.detail) != std::string::npos);
    CHECK(form.parts().empty());
    CHECK_FALSE(form.feed("more"));
    CHECK(open_files() == before);
  }
  CHECK(log.text().empty());
}

TEST_CASE("upload form: a folder that can't be written to is logged and a 500") {
  const Scratch scratch;
  const CapturedLog log;
  UploadSettings settings = settings_of(scratch);
  settings.folder = scratch.path("none");
  UploadForm form(kType, settings);
  CHECK_FALSE(form.feed(part("name=f; filename=x", std::string(100, 'x')) + "--b--"));
  CHECK(form.status() == 500);
  CHECK(form.detail().find("none") == std::string::npos);
  CHECK(log.text().find("can't be kept in " + settings.folder + ": No such file") != std::string::npos);
}

TEST_CASE("upload form: a full disk is logged and a 507") {
  const Scratch scratch;
  const CapturedLog log;
  UploadForm form(kType, settings_of(scratch));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = {};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {50'000, limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const bool fed = form.feed(part("name=f; filename=x", std::string(100'000, 'x')) + "--b--");
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK_FALSE(fed);
  CHECK(form.status() == 507);
  CHECK(log.text().find("File too large") != std::string::npos);
}

TEST_CASE("upload form: the folder is the one configured, or the system's") {
  CHECK(upload_folder("/var/spool") == "/var/spool");
  ::setenv("TMPDIR", "/somewhere", 1);
  CHECK(upload_folder("") == "/somewhere");
  ::setenv("TMPDIR", "", 1);
  CHECK(upload_folder("") == "/tmp");
  ::unsetenv("TMPDIR");
  CHECK(upload_folder("") == "/tmp");
}
