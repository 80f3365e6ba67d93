#include "http/body_framer.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "http/head_scanner.h"

using perigee::http::BodyFramer;
using perigee::http::HeadScanner;
using perigee::http::RequestHead;
using State = perigee::http::BodyFramer::State;

namespace {

struct Framed {
  State state = State::kReading;
  std::size_t size = 0;
  std::string body;
  std::string reason;
  std::size_t runs = 0;
  bool operator==(const Framed& other) const {
    return state == other.state && size == other.size && body == other.body && reason == other.reason;
  }
};

struct Collector {
  std::string body;
  std::size_t most = std::string::npos;
  std::size_t runs = 0;

  static bool take(void* context, std::string_view bytes) {
    auto& self = *static_cast<Collector*>(context);
    self.body += bytes;
    ++self.runs;
    return self.body.size() <= self.most;
  }
};

struct Request {
  explicit Request(const std::string& fields) : bytes("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\n") {
    HeadScanner scanner;
    REQUIRE(scanner.scan(bytes.data(), bytes.size(), {}, head) == HeadScanner::Verdict::kComplete);
  }
  std::string bytes;
  RequestHead head;
};

Framed frame_by(const RequestHead& head, const std::string& body, std::size_t step, std::size_t most) {
  BodyFramer framer;
  Collector collector;
  collector.most = most;
  Framed framed;
  framed.state = framer.begin(head, Collector::take, &collector);
  while (framed.size < body.size() && framed.state == State::kReading) {
    framed.size += framer.feed(std::string_view(body).substr(framed.size, step));
    framed.state = framer.state();
  }
  framed.body = collector.body;
  framed.runs = collector.runs;
  framed.reason = framer.reason();
  return framed;
}

/// Frames whole, byte by byte and by fives, which must all agree on what was read.
Framed frame(const std::string& fields, const std::string& body) {
  const Request request(fields);
  CAPTURE(fields, body);
  const Framed whole = frame_by(request.head, body, body.size() + 1, std::string::npos);
  CHECK(frame_by(request.head, body, 1, std::string::npos) == whole);
  CHECK(frame_by(request.head, body, 5, std::string::npos) == whole);
  return whole;
}

const std::string kChunked = "Transfer-Encoding: chunked";

}  // namespace

TEST_CASE("body framer: a body of known length ends with its last byte") {
  const Framed framed = frame("Content-Length: 5", "helloGET / HTTP/1.1");
  CHECK(framed.state == State::kDone);
  CHECK(framed.size == 5);
  CHECK(framed.body == "hello");
  CHECK(frame("Content-Length: 5", "hell").state == State::kReading);
  CHECK(frame("content-length:  0005 ", "hello").state == State::kDone);
}

TEST_CASE("body framer: a chunked body is taken out of its chunks, trailers dropped") {
  const std::string body = "5;a=\"b\"\r\nhello\r\n6\r\n world\r\n0\r\nVary: *\r\n\r\n";
  const Framed framed = frame(kChunked, body + "GET / HTTP/1.1");
  CHECK(framed.state == State::kDone);
  CHECK(framed.size == body.size());
  CHECK(framed.body == "hello world");
  CHECK(frame(kChunked, "0\r\n\r\n").state == State::kDone);
  CHECK(frame("TRANSFER-encoding: CHUNKED", body).state == State::kDone);
}

TEST_CASE("body framer: data comes in runs, not byte by byte") {
  const Request request("Content-Length: 100000");
  const Framed framed = frame_by(request.head, std::string(100000, 'x'), 50000, std::string::npos);
  CHECK(framed.state == State::kDone);
  CHECK(framed.runs == 2);
}

TEST_CASE("body framer: malformed chunks are refused") {
  for (const char* body :
       {"x", "5\n", "5\rX", "5 \r\nhello", "5 x\r\n", "5;\r\nhello", "5\r\r;ABCD", "5\r\nABCDE0", "5\r\nhello\n",
        "10000000000000000\r\nfoo", "3 \n  \r\nfoo\r\n", "5;a=\"b; c\r\nhello\r\n", "0\r\n\rX", "0\r\nA\r\n\r\n"}) {
    CAPTURE(body);
    const Framed framed = frame(kChunked, body);
    CHECK(framed.state == State::kRefused);
    CHECK_FALSE(framed.reason.empty());
  }
}

TEST_CASE("body framer: a sink that stops makes the body too large") {
  for (const std::size_t step : {std::size_t{1}, std::size_t{4}, std::size_t{100}}) {
    const Request sized("Content-Length: 11");
    CHECK(frame_by(sized.head, "hello world", step, 10).state == State::kTooLarge);
    CHECK(frame_by(sized.head, "hello world", step, 11).state == State::kDone);
    const Request chunked(kChunked);
    CHECK(frame_by(chunked.head, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", step, 10).state == State::kTooLarge);
  }
}

TEST_CASE("body framer: a head that says otherwise than its fields is refused") {
  Request request("Content-Length: 5");
  Collector collector;
  BodyFramer framer;
  request.head.chunked = true;
  CHECK(framer.begin(request.head, Collector::take, &collector) == State::kRefused);
  CHECK(framer.feed("5\r\nhello") == 0);
}

TEST_CASE("body framer: one framer frames body after body") {
  BodyFramer framer;
  Collector collector;
  const Request chunked(kChunked);
  const Request sized("Content-Length: 2");
  REQUIRE(framer.begin(chunked.head, Collector::take, &collector) == State::kReading);
  CHECK(framer.feed("1\r\na\r\n5;") == 8);
  REQUIRE(framer.begin(sized.head, Collector::take, &collector) == State::kReading);
  CHECK(framer.feed("bcd") == 2);
  CHECK(framer.state() == State::kDone);
  CHECK(collector.body == "abc");
  CHECK(framer.feed("more") == 0);
}
