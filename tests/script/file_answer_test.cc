#include "script/file_answer.h"

#include <filesystem>

#include "vm_fixture.h"

using perigee::script::Answer;

namespace {

// An app that serves a folder with a small and a large file, and what it answers.
class Serving {
 public:
  Serving() : loaded_(prepared()) {
    perigee::files::FileCache::Limits limits;
    limits.small = 100;
    loaded_.host.cache.set_limits(limits);
  }
  [[nodiscard]] LoadedVm& vm() { return loaded_; }

 private:
  [[nodiscard]] std::string prepared() const {
    std::filesystem::create_directories(folder_.path("public"));
    (void)folder_.file("public/small.txt", "0123456789");
    (void)folder_.file("public/large.bin", std::string(1000, 'x'));
    return "app:static('/s', '" + folder_.path("public") + "', { cache_control = 'no-cache' })";
  }
  Scratch folder_;
  LoadedVm loaded_;
};

}  // namespace

TEST_CASE("file answer: a small file is the answer's body, with its lines") {
  Serving serving;
  Request request(serving.vm(), get("/s/small.txt"));
  REQUIRE(request.outcome == Request::Outcome::kAnswered);
  CHECK(request.exchange.answer.kind == Answer::Kind::kReady);
  CHECK(request.status() == 200);
  CHECK(request.body() == "0123456789");
  CHECK(request.type() == "text/plain; charset=utf-8");
  CHECK(request.fields().starts_with("Cache-Control: no-cache\r\nLast-Modified: "));
}

TEST_CASE("file answer: a large file is left to its descriptor") {
  Serving serving;
  Request request(serving.vm(), get("/s/large.bin", "Range: bytes=10-19, 500-\r\n"));
  REQUIRE(request.outcome == Request::Outcome::kAnswered);
  const Answer& answer = request.exchange.answer;
  CHECK(answer.kind == Answer::Kind::kFile);
  CHECK(answer.status == 206);
  REQUIRE(answer.file != nullptr);
  CHECK(answer.file->pieces.size() == 2);
  CHECK(answer.file->pieces[1].range.size == 500);
  CHECK(request.type().starts_with("multipart/byteranges; boundary="));
}

TEST_CASE("file answer: ranges, conditions and what is not there") {
  Serving serving;
  const std::pair<const char*, const char*> cases[] = {{"Range: bytes=2-4\r\n", "206 234"},
                                                       {"If-None-Match: *\r\n", "304 "},
                                                       {"Range: bytes=99-\r\n", "416"},
                                                       {"If-Match: \"x\"\r\n", "412"}};
  for (const auto& [fields, expected] : cases) {
    CHECK(answer_to(serving.vm(), get("/s/small.txt", fields)).starts_with(expected));
  }
  for (const char* path : {"/s/none", "/s/.hidden", "/s/sub//x", "/s/"}) {
    CHECK(answer_to(serving.vm(), get(path)).starts_with("404 "));
  }
}

TEST_CASE("file answer: what was filled natively does not leak into the pooled exchange's next answer") {
  Serving serving;
  Request request(serving.vm(), get("/s/large.bin"));
  REQUIRE(request.exchange.answer.file != nullptr);
  request.exchange.reset();
  request.exchange.shed(false);
  CHECK(request.exchange.answer.kind == Answer::Kind::kWhole);
  CHECK(request.exchange.answer.file == nullptr);
}
