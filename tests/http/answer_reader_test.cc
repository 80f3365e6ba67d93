#include "http/answer_reader.h"

#include <catch2/catch.hpp>

using perigee::http::AnswerReader;
using State = AnswerReader::State;

namespace {

// Feeds the text a byte at a time and returns the state after the last.
State feed(AnswerReader& reader, std::string_view text) {
  State state = reader.state();
  for (const char byte : text) {
    reader.input().push_back(byte);
    state = reader.advance(false);
  }
  return state;
}

}  // namespace

TEST_CASE("answer reader: a body of known length is whole at its last byte") {
  AnswerReader reader;
  reader.begin(false);
  CHECK(feed(reader, "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhell") == State::kBody);
  CHECK(feed(reader, "o") == State::kDone);
  CHECK(reader.status() == 201);
  CHECK(reader.fields() == "Content-Length: 5\r\nX-A: b\r\n");
  CHECK(reader.body() == "hello");
  CHECK_FALSE(reader.closes());
}

TEST_CASE("answer reader: chunks become one body, and the next answer follows") {
  AnswerReader reader;
  reader.begin(false);
  const std::string_view two =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n";
  reader.input() = two;
  CHECK(reader.advance(false) == State::kDone);
  CHECK(reader.body() == "abcde");
  reader.begin(false);
  CHECK(reader.advance(false) == State::kDone);
  CHECK(reader.status() == 204);
}

TEST_CASE("answer reader: parts of a stream are taken as they come") {
  AnswerReader reader;
  reader.begin(false);
  CHECK(feed(reader, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") == State::kBody);
  CHECK(reader.take_body() == "abc");
  CHECK(feed(reader, "2\r\nde\r\n0\r\n\r\n") == State::kDone);
  CHECK(reader.take_body() == "de");
}

TEST_CASE("answer reader: HEAD, 304 and interim answers have no body") {
  AnswerReader reader;
  reader.begin(true);
  CHECK(feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") == State::kDone);
  reader.begin(false);
  CHECK(feed(reader, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") == State::kDone);
  reader.begin(false);
  CHECK(feed(reader, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") == State::kDone);
  CHECK(reader.status() == 200);
  CHECK(reader.body() == "x");
}

TEST_CASE("answer reader: without a length the end of the stream ends the body") {
  AnswerReader reader;
  reader.begin(false);
  CHECK(feed(reader, "HTTP/1.1 200 OK\r\nConnection: close\r\nSet-Cookie: a=1\r\n\r\nabc") == State::kBody);
  CHECK(reader.advance(true) == State::kDone);
  CHECK(reader.body() == "abc");
  CHECK(reader.closes());
  CHECK(reader.sets_cookies());
}

TEST_CASE("answer reader: what ends too early or is no answer is broken") {
  for (const std::string_view text :
       {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    AnswerReader reader;
    reader.begin(false);
    reader.input() = text;
    CAPTURE(text);
    CHECK(reader.advance(true) == State::kBroken);
  }
}
