#include "files/file_plan.h"

#include <catch2/catch.hpp>

#include "../server/scratch.h"
#include "http/head_scanner.h"

using perigee::files::FilePlan;

namespace {

// A file of 1,000 bytes with a .br and a .gz beside it, and how it answers.
class Planned {
 public:
  [[nodiscard]] FilePlan plan(const std::string& fields, const std::string& method = "GET", std::size_t small = 4096) {
    (void)scratch_.file("f.txt", std::string(1000, 'x'));
    perigee::files::FileCache::Limits limits;
    limits.small = small;
    perigee::files::FileCache cache(limits);
    request_ = method + " / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    perigee::http::HeadScanner scanner;
    perigee::http::RequestHead head;
    REQUIRE(scanner.scan(request_.data(), request_.size(), {}, head) == perigee::http::HeadScanner::Verdict::kComplete);
    const auto found = cache.find(scratch_.path(""), "f.txt", true, 0);
    REQUIRE(found.files != nullptr);
    whole_and_plain = perigee::files::is_whole_and_plain(head, *found.files);
    return perigee::files::plan_file(head, *found.files, 4'000'000'000);
  }
  void compress() {
    (void)plan("");
    (void)scratch_.file("f.txt.br", "br");
    (void)scratch_.file("f.txt.gz", "gz");
  }

  bool whole_and_plain = false;  ///< of the last plan

 private:
  Scratch scratch_;
  std::string request_;
};

std::string lines_of(const FilePlan& plan) {
  std::string lines;
  perigee::files::append_file_lines(lines, plan);
  return lines;
}

}  // namespace

TEST_CASE("file plan: a coding by what the client wants most, brotli first") {
  Planned planned;
  CHECK_FALSE(planned.plan("Accept-Encoding: gzip, br\r\n").varies);
  planned.compress();
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"Accept-Encoding: gzip, br\r\n", "br"},
      {"Accept-Encoding: gzip\r\nAccept-Encoding: br;q=0.5\r\n", "gzip"},
      {"Accept-Encoding: identity, gzip;q=0.5\r\n", ""},
      {"Accept-Encoding: br;q=0, *\r\n", "gzip"},
      {"Accept-Encoding: deflate\r\n", ""},
      {"Accept-Encoding: identity;q=0\r\n", ""}};
  for (const auto& [fields, coding] : cases) {
    const FilePlan plan = planned.plan(fields);
    CHECK(plan.coding == coding);
    CHECK(plan.varies);
    const std::string lines = lines_of(plan);
    CHECK(lines.find("Vary: Accept-Encoding\r\n") != std::string::npos);
    CHECK((lines.find("Content-Encoding: ") != std::string::npos) == !plan.coding.empty());
  }
}

TEST_CASE("file plan: conditions come before ranges") {
  Planned planned;
  CHECK(planned.plan("If-None-Match: *\r\nRange: bytes=0-1\r\n").status == 304);
  CHECK(planned.plan("If-Match: \"x\"\r\nRange: bytes=0-1\r\n").status == 412);
  CHECK(planned.plan("Range: bytes=0-1\r\n").status == 206);
  CHECK(planned.plan("Range: bytes=0-1\r\n", "HEAD").status == 200);
  CHECK(planned.plan("Range: bytes=0-1\r\nIf-Range: \"x\"\r\n").status == 200);
  CHECK(planned.plan("Range: bytes=x\r\n").status == 200);
  const FilePlan none = planned.plan("Range: bytes=5000-\r\n");
  CHECK(none.status == 416);
  CHECK(lines_of(none) == "Content-Range: bytes */1000\r\n");
}

TEST_CASE("file plan: several ranges make a body whose length is told right, from memory and from disk") {
  Planned planned;
  const std::string fields = "Range: bytes=0-9,500-509,-1\r\n";
  const FilePlan memory = planned.plan(fields);
  const std::string text = perigee::files::multipart_text(memory, "text/plain", "B");
  const FilePlan disk = planned.plan(fields, "GET", 1);
  const auto body = perigee::files::multipart_body(disk, "text/plain", "B");
  CHECK(body.length == text.size());
  CHECK(body.pieces.size() == 3);
  CHECK(text.starts_with(
      "--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-9/1000\r\n\r\nxxxxxxxxxx\r\n--B\r\n"));
  CHECK(text.ends_with("Content-Range: bytes 999-999/1000\r\n\r\nx\r\n--B--\r\n"));
  CHECK(perigee::files::new_boundary() != perigee::files::new_boundary());
}

TEST_CASE("file plan: where nothing is asked there is nothing to plan, and the answer is the same") {
  Planned planned;
  for (const char* fields : {"", "Accept-Encoding: gzip, br\r\n", "If-Range: \"x\"\r\n"}) {
    const FilePlan plan = planned.plan(fields);
    CHECK(planned.whole_and_plain);
    CHECK(plan.status == 200);
    CHECK(lines_of(plan) == plan.file->lines());
    CHECK(perigee::files::single_range(plan).size == plan.file->content().size());
  }
  for (const char* fields : {"If-None-Match: \"x\"\r\n", "If-Match: *\r\n", "If-Modified-Since: x\r\n",
                             "If-Unmodified-Since: x\r\n", "Range: bytes=0-1\r\n"}) {
    (void)planned.plan(fields);
    CHECK_FALSE(planned.whole_and_plain);
  }
  (void)planned.plan("", "GET", 100);  // it is sent from its descriptor
  CHECK_FALSE(planned.whole_and_plain);
  planned.compress();
  (void)planned.plan("");
  CHECK_FALSE(planned.whole_and_plain);
}
