#include "net/file_watch.h"

#include <filesystem>

#include "../server/scratch.h"
#include "loop_fixture.h"

namespace fs = std::filesystem;
using perigee::monotonic_ms;
using perigee::net::EventLoop;
using perigee::net::FileWatch;

namespace {

// A folder that is watched for .lua and .html files.
struct Watched {
  explicit Watched(FileWatch::Settings more = {}) {
    fs::create_directories(scratch.path("app/sub"));
    FileWatch::Settings settings = std::move(more);
    settings.folders = {scratch.path("app")};
    settings.endings = {".lua", ".html"};
    auto opened = FileWatch::open(loop, settings, [this](const std::string& path) { told.push_back(path); });
    REQUIRE(opened);
    watch = std::move(*opened);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return scratch.path("app/" + name); }
  void save(const std::string& name) const { (void)scratch.file("app/" + name, "x"); }

  // Whether `count` changes are told, and no more once everything is quiet.
  [[nodiscard]] bool tells(std::size_t count) {
    const std::size_t wanted = told.size() + count;
    const bool came = pass_until([&] { return told.size() >= wanted; });
    settle();
    return came && told.size() == wanted;
  }

  void settle() {
    const perigee::Milliseconds end = monotonic_ms() + 2 * FileWatch::kLongest;
    (void)pass_until([&] { return monotonic_ms() > end; });
  }

  template <typename Done>
  bool pass_until(Done done) {
    return turn_until(loop, [&] {
      loop.timers().advance(monotonic_ms());
      return done();
    });
  }

  Scratch scratch;
  EventLoop loop;
  std::vector<std::string> told;
  std::unique_ptr<FileWatch> watch;
};

}  // namespace

TEST_CASE("file watch: a save is told, however the editor does it") {
  Watched watched;
  watched.save("app.lua");
  CHECK(watched.tells(1));
  CHECK(watched.told.back() == watched.path("app.lua"));
  watched.save("app.lua.new");  // no name that counts
  CHECK(watched.tells(0));
  fs::rename(watched.path("app.lua.new"), watched.path("app.lua"));
  CHECK(watched.tells(1));
  fs::rename(watched.path("app.lua"), watched.path("app.lua~"));
  watched.save("app.lua");
  fs::remove(watched.path("app.lua~"));
  CHECK(watched.tells(1));
  fs::remove(watched.path("app.lua"));
  CHECK(watched.tells(1));
  fs::create_symlink(watched.path("elsewhere"), watched.path("linked.lua"));
  CHECK(watched.tells(1));
}

TEST_CASE("file watch: many changes at once are told once") {
  Watched watched;
  for (int i = 0; i < 300; ++i) {
    watched.save("sub/" + std::to_string(i) + ".lua");
  }
  CHECK(watched.tells(1));
}

TEST_CASE("file watch: changes without an end are told all the same") {
  Watched watched;
  CHECK(watched.pass_until([&] {
    watched.save("app.lua");
    return !watched.told.empty();
  }));
}

TEST_CASE("file watch: other files, hidden ones and folders that are ignored don't count") {
  FileWatch::Settings settings;
  settings.ignored = {"node_modules"};
  Watched watched(settings);
  fs::create_directories(watched.path(".git"));
  fs::create_directories(watched.path("node_modules"));
  watched.settle();
  watched.told.clear();
  for (const char* name : {"access.log", ".app.lua", ".git/x.lua", "node_modules/x.lua", "app.lua~"}) {
    watched.save(name);
  }
  CHECK(watched.tells(0));
  CHECK(watched.watch->folders() == 2);
}

TEST_CASE("file watch: a new folder is watched, with what it has already") {
  Watched watched;
  fs::create_directories(watched.path("new/deep"));
  CHECK(watched.tells(0));
  watched.save("new/deep/x.html");
  CHECK(watched.tells(1));
  CHECK(watched.told.back() == watched.path("new/deep/x.html"));
  fs::rename(watched.path("new"), watched.path("moved"));
  CHECK(watched.tells(1));
  watched.save("moved/deep/y.html");
  CHECK(watched.tells(1));
  CHECK(watched.told.back() == watched.path("moved/deep/y.html"));
  fs::remove_all(watched.path("moved"));
  CHECK(watched.tells(1));
  CHECK(watched.watch->folders() == 2);
}

TEST_CASE("file watch: a single file counts whatever its name, and its neighbours don't") {
  const Scratch elsewhere;
  FileWatch::Settings settings;
  settings.files = {elsewhere.path("server.toml")};
  Watched watched(settings);
  (void)elsewhere.file("server.toml", "x");
  CHECK(watched.tells(1));
  (void)elsewhere.file("other.toml", "x");
  (void)elsewhere.file("other.lua", "x");
  CHECK(watched.tells(0));
}

TEST_CASE("file watch: no more folders are watched than it may") {
  FileWatch::Settings settings;
  settings.most_folders = 2;
  Watched watched(settings);
  CHECK_FALSE(watched.watch->full());
  fs::create_directories(watched.path("third"));
  watched.settle();
  CHECK(watched.watch->full());
  CHECK(watched.watch->folders() == 2);
}

TEST_CASE("file watch: a folder that is not there is none to watch") {
  EventLoop loop;
  FileWatch::Settings settings;
  settings.folders = {"/nonexistent/perigee"};
  const auto opened = FileWatch::open(loop, settings, [](const std::string&) {});
  REQUIRE(opened);
  CHECK((*opened)->folders() == 0);
}
