// The Lua half of the library: that all of it is embedded, and what its specs (tests/lua) hold of it.

#include "script/lua_library.h"

#include <algorithm>
#include <filesystem>

#include "vm_fixture.h"

namespace {

namespace fs = std::filesystem;

// The files of specs, by their names as `require` takes them.
std::vector<std::string> spec_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(PERIGEE_SOURCE_DIR "/tests/lua")) {
    if (const std::string stem = entry.path().stem().string(); stem.ends_with("_spec")) {
      names.push_back(stem);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("lua library: what it promises holds, by the specs of its modules") {
  const std::string name = GENERATE(from_range(spec_names()));
  INFO(name);
  const EventLog log;
  LoadedVm loaded(LoadedVm::AppFile{PERIGEE_SOURCE_DIR "/tests/lua/app.lua"});
  const std::string body = "f=1&g=%41";
  Request request(loaded, "POST /specs/" + name +
                              "/42?a=1&a=2&b=x+y HTTP/1.1\r\nHost: example\r\n"
                              "Cookie: flavour=oat; quoted=\"v\"\r\n"
                              "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
  request.complete();
  INFO(log.text());
  REQUIRE(request.status() == 200);
  const std::size_t line = request.body().find('\n');
  CHECK(std::stoi(request.body()) > 0);
  CHECK(request.body().substr(line + 1) == "");
}

TEST_CASE("lua library: every module is embedded under its name, sorted") {
  const auto& modules = perigee::script::lua_library();
  CHECK(std::is_sorted(modules.begin(), modules.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const char* name : {"perigee", "perigee.boot", "perigee.loader", "perigee.tasks", "admin.app"}) {
    const auto found = std::find_if(modules.begin(), modules.end(), [name](const auto& m) { return m.name == name; });
    REQUIRE(found != modules.end());
    CHECK_FALSE(found->source.empty());
    CHECK(found->chunk.starts_with("@lua/"));
    CHECK(found->chunk.ends_with(".lua"));
  }
}
