#include <filesystem>

#include "script/bind.h"
#include "vm_fixture.h"

using perigee::script::Answer;

namespace {

const std::string kApp = R"(
app:get("/{name}", function(req) return perigee.file(req.params.name, { root = perigee.config.root }) end)
app:get("/status/{name}", function(req)
  return 203, perigee.file(req.params.name, { root = perigee.config.root }), { ["cache-control"] = "mine", ["x-a"] = "b" }
end)
app:get("/own/{name}", function(req)
  return 200, perigee.file(req.params.name, { root = perigee.config.root, type = "a/b", cache_control = "theirs" }),
    { ["Cache-Control"] = "mine" }
end)
app:get("/broken/{name}", function(req)
  return 200, perigee.file(req.params.name, { root = perigee.config.root }), { ["bad name"] = "x" }
end)
)";

class Serving {
 public:
  Serving() : loaded_(kApp, settings()) {}
  [[nodiscard]] LoadedVm& vm() { return loaded_; }

 private:
  [[nodiscard]] perigee::script::VmSettings settings() const {
    (void)folder_.file("f.txt", "0123456789");
    perigee::script::VmSettings made;
    made.config_json = "{\"root\": \"" + folder_.path("") + "\"}";
    return made;
  }
  Scratch folder_;
  LoadedVm loaded_;
};

}  // namespace

TEST_CASE("bind file: a file that was found is the answer, and one that was not a problem") {
  Serving serving;
  CHECK(answer_to(serving.vm(), get("/f.txt")) == "200 0123456789");
  CHECK(answer_to(serving.vm(), get("/f.txt", "Range: bytes=-3\r\n")) == "206 789");
  CHECK(answer_to(serving.vm(), get("/none")).starts_with("404 "));
}

TEST_CASE("bind file: a status of the app's own sends the whole file") {
  Serving serving;
  Request request(serving.vm(), get("/status/f.txt", "Range: bytes=-3\r\nIf-None-Match: *\r\n"));
  CHECK(request.status() == 203);
  CHECK(request.body() == "0123456789");
  CHECK(request.fields().find("x-a: b\r\n") != std::string::npos);
}

TEST_CASE("bind file: the app's headers win over the file's") {
  Serving serving;
  Request request(serving.vm(), get("/own/f.txt"));
  CHECK(request.type() == "a/b");
  CHECK(request.fields().find("Cache-Control: mine\r\n") != std::string::npos);
  CHECK(request.fields().find("theirs") == std::string::npos);
}

TEST_CASE("bind file: an answer that fails behind a file is a 500, and no part of the file's") {
  Serving serving;
  const EventLog log;
  Request request(serving.vm(), get("/broken/f.txt"));
  CHECK(request.status() == 500);
  CHECK(request.exchange.answer.kind == Answer::Kind::kWhole);
  CHECK(request.body().find("0123456789") == std::string::npos);
}

TEST_CASE("bind file: no file is found while the app is loaded") {
  const Scratch scratch;
  std::vector<std::string> mistakes;
  const auto path = scratch.file("app.lua", "require('perigee').file('x')");
  CHECK(LoadedVm::load(path, mistakes) == nullptr);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].find("perigee.file answers a request: call it in a handler") != std::string::npos);
}
