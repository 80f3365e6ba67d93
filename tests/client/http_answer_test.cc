#include "client/http_answer.h"

#include <catch2/catch.hpp>

#include "coded_hello.h"

using perigee::client::HttpAnswer;
using Outcome = perigee::client::HttpAnswer::Outcome;

namespace {

const std::string kPlain = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string coded(const std::string& coding, std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

/// One of a GET.
struct Begun : HttpAnswer {
  explicit Begun(bool decodes, std::uint64_t most = 0) { begin("GET", decodes, most); }
};

}  // namespace

TEST_CASE("http answer: head and body come whole, however they are cut and coded") {
  const auto [bytes, decoded] =
      GENERATE(table<std::string, bool>({{kPlain, false},
                                         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                                          false},
                                         {coded("gzip", kGzip), true},
                                         {coded("br", kBrotli), true}}));
  const auto size = GENERATE(std::size_t(1), std::size_t(7), std::size_t(1000));
  Begun answer(true, 5);
  Outcome outcome = Outcome::kMore;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    REQUIRE(outcome == Outcome::kMore);
    outcome = answer.feed(std::string_view(bytes).substr(at, size));
  }
  CHECK(outcome == Outcome::kWhole);
  CHECK(answer.status() == 200);
  CHECK(answer.head() == bytes.substr(0, bytes.find("\r\n\r\n") + 4));
  CHECK(answer.body() == "hello");
  CHECK(answer.decoded() == decoded);
  CHECK(answer.keeps_open());
}

TEST_CASE("http answer: its head is there before its body, which can be dropped as it comes") {
  Begun answer(true);
  CHECK_FALSE(answer.has_head());
  CHECK(answer.feed(kPlain.substr(0, kPlain.size() - 2)) == Outcome::kMore);
  CHECK(answer.has_head());
  CHECK(answer.body() == "hel");
  answer.drop_body();
  CHECK(answer.feed("lo") == Outcome::kWhole);
  CHECK(answer.body() == "lo");
}

TEST_CASE("http answer: a coding stays on where nobody asked for it, and of an answer to HEAD") {
  Begun answer(false);
  CHECK(answer.feed(coded("gzip", kGzip)) == Outcome::kWhole);
  CHECK(answer.body() == kGzip);
  CHECK_FALSE(answer.decoded());
  answer.begin("HEAD", true, 0);
  CHECK(answer.feed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n") == Outcome::kWhole);
  CHECK_FALSE(answer.decoded());
}

TEST_CASE("http answer: a body that is empty has no coding's end") {
  Begun answer(true);
  CHECK(answer.feed(coded("gzip", "")) == Outcome::kWhole);
  CHECK(answer.body().empty());
}

TEST_CASE("http answer: what is not as it should be fails it, and it says how") {
  const std::string until_end = "HTTP/1.1 200 OK\r\n\r\n";
  const auto [bytes, error] = GENERATE_REF(table<std::string, std::string>(
      {{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "refused: the answer is malformed: its length is no number"},
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "too_large: the answer has 5 bytes"},
       {until_end + "hello", "too_large: the answer has more than 4 bytes"},
       {coded("gzip", kGzip), "too_large: the answer, decoded, has more than 4 bytes"},
       {coded("br", kBrotli), "too_large: the answer, decoded, has more than 4 bytes"},
       {coded("gzip", "no gzip at all"), "refused: the answer's content coding is malformed"}}));
  Begun answer(true, 4);
  CHECK(answer.feed(bytes) == Outcome::kFailed);
  CHECK(answer.error() == error);
  CHECK(answer.body().size() <= 5);
}

TEST_CASE("http answer: of one that promises too much there is no head to show") {
  Begun answer(true, 4);
  CHECK(answer.feed(kPlain) == Outcome::kFailed);
  CHECK_FALSE(answer.has_head());
}

TEST_CASE("http answer: the peer's end ends a body that is ended by that, and fails any other") {
  Begun answer(true);
  CHECK(answer.feed("HTTP/1.1 200 OK\r\n\r\nhello") == Outcome::kMore);
  CHECK(answer.end() == Outcome::kWhole);
  CHECK(answer.body() == "hello");
  CHECK_FALSE(answer.keeps_open());
  answer.begin("GET", true, 0);
  CHECK(answer.feed(kPlain.substr(0, kPlain.size() - 1)) == Outcome::kMore);
  CHECK(answer.end() == Outcome::kFailed);
  CHECK(answer.error() == "closed: the answer ended too early");
}

TEST_CASE("http answer: a coding that is cut off is no whole body, wherever the framing ends") {
  const auto cut = kGzip.substr(0, 18);
  Begun answer(true);
  CHECK(answer.feed(coded("gzip", cut)) == Outcome::kFailed);
  CHECK(answer.error() == "closed: the answer's content coding ended too early");
  answer.begin("GET", true, 0);
  CHECK(answer.feed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + std::string(cut)) == Outcome::kMore);
  CHECK(answer.end() == Outcome::kFailed);
  CHECK(answer.error() == "closed: the answer's content coding ended too early");
}

TEST_CASE("http answer: bytes behind it are not its own, and keep the connection from being used again") {
  Begun answer(true);
  CHECK(answer.feed(kPlain + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen") == Outcome::kWhole);
  CHECK(answer.body() == "hello");
  CHECK_FALSE(answer.keeps_open());
}

TEST_CASE("http answer: one that begins anew knows nothing of the one before") {
  const auto before = GENERATE(std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), coded("gzip", kGzip),
                               kPlain + "and more", kPlain.substr(0, kPlain.size() - 3));
  Begun answer(true, 1000);
  (void)answer.feed(before);
  answer.begin("GET", true, 5);
  CHECK_FALSE(answer.has_head());
  CHECK(answer.body().empty());
  CHECK(answer.feed(kPlain) == Outcome::kWhole);
  CHECK(answer.error().empty());
  CHECK(answer.body() == "hello");
  CHECK_FALSE(answer.decoded());
  CHECK(answer.keeps_open());
}
