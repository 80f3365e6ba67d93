#include "http/chunk_walker.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using perigee::http::ChunkWalker;
using State = perigee::http::ChunkWalker::State;

namespace {

struct Walked {
  State state = State::kReading;
  std::size_t size = 0;
  std::string reason;
  std::uint64_t data = 0;
  bool operator==(const Walked& other) const {
    return state == other.state && size == other.size && reason == other.reason && data == other.data;
  }
};

Walked walk_by(const std::string& bytes, std::size_t step) {
  ChunkWalker walker;
  std::size_t at = 0;
  while (at < bytes.size() && walker.state() == State::kReading) {
    at += walker.walk(std::string_view(bytes).substr(at, step));
  }
  return {walker.state(), at, walker.reason(), walker.data_size()};
}

/// Walks whole, byte by byte and by threes, which must all agree.
Walked walk(const std::string& bytes) {
  const Walked whole = walk_by(bytes, bytes.size());
  CAPTURE(bytes);
  CHECK(walk_by(bytes, 1) == whole);
  CHECK(walk_by(bytes, 3) == whole);
  return whole;
}

}  // namespace

TEST_CASE("chunk walker: a well-formed body ends where it ends") {
  const std::vector<std::string> bodies = {"0\r\n\r\n",
                                           "5\r\nhello\r\n0\r\n\r\n",
                                           "5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n",
                                           "0000000000000001\r\nx\r\n0\r\n\r\n",
                                           "A\r\n0123456789\r\n0;last\r\n\r\n",
                                           "5;a;b=c;d=\"e;\\\"\"\r\nhello\r\n0\r\n\r\n",
                                           "5 ; a = b ;c= \"d\"\r\nhello\r\n0\r\n\r\n",
                                           "1\r\nx\r\n0\r\nVary: *\r\nX:\r\n\r\n"};
  for (const std::string& body : bodies) {
    CAPTURE(body);
    const Walked walked = walk(body + "GET / HTTP/1.1");
    CHECK(walked.state == State::kDone);
    CHECK(walked.size == body.size());
  }
}

TEST_CASE("chunk walker: every begun body may go on") {
  const std::string body = "5;a=\"b\"\r\nhello\r\n0\r\nVary: *\r\n\r\n";
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    CHECK(walk(body.substr(0, size)).state == State::kReading);
  }
  CHECK(walk(body).data == 5);
}

TEST_CASE("chunk walker: what the grammar does not have is refused at its byte") {
  const std::vector<std::pair<std::string, std::size_t>> bodies = {{"x", 0},
                                                                   {"\r\n", 0},
                                                                   {" 5", 0},
                                                                   {"0x5", 1},
                                                                   {"-5", 0},
                                                                   {"5\n", 1},
                                                                   {"5\rX", 2},
                                                                   {"5 \r\n", 2},
                                                                   {"5 x", 2},
                                                                   {"5;\r\n", 2},
                                                                   {"5;a=\r\n", 4},
                                                                   {"5;a \r\n", 4},
                                                                   {"5;a=b c", 6},
                                                                   {"5;=b", 2},
                                                                   {"5;a=\"b\r\n", 6},
                                                                   {"5;a=\"b\"c", 7},
                                                                   {"5;\x01", 2},
                                                                   {"5\r\nhello0", 8},
                                                                   {"5\r\nhello\n", 8},
                                                                   {"5\r\nhello\rX", 9},
                                                                   {"0\r\n\n", 3},
                                                                   {"0\r\n\rX", 4},
                                                                   {"0\r\n folded", 3},
                                                                   {"0\r\nA b", 4},
                                                                   {"0\r\n: b", 3},
                                                                   {"0\r\nA : b", 4},
                                                                   {"0\r\nA: b\n", 7},
                                                                   {"0\r\nA: b\rX", 8},
                                                                   {"0\r\nA: \x01", 6},
                                                                   {"10000000000000000", 16},
                                                                   {"00000000000000000", 16},
                                                                   {"8000000000000000", 15},
                                                                   {"ffffffffffffffff", 15}};
  for (const auto& [body, good] : bodies) {
    CAPTURE(body);
    const Walked walked = walk(body);
    CHECK(walked.state == State::kRefused);
    CHECK(walked.size == good);
    CHECK_FALSE(walked.reason.empty());
  }
}

TEST_CASE("chunk walker: the largest size a body may name is 2^63 - 1") {
  CHECK(walk("7fffffffffffffff\r\nx").state == State::kReading);
}

TEST_CASE("chunk walker: extensions are bounded over the whole body") {
  const std::string chunk = "1;" + std::string(1023, 'a') + "\r\nx\r\n";
  std::string body;
  for (int i = 0; i < 4; ++i) {
    body += chunk;
  }
  CHECK(walk(body).state == State::kRefused);  // each CR counts as well
  body = "1;" + std::string(4094, 'a') + "\r\nx\r\n";
  CHECK(walk(body).state == State::kReading);
  CHECK(walk(body + "1;a\r\n").state == State::kRefused);
  CHECK(walk("1;" + std::string(4096, 'a')).state == State::kRefused);
}

TEST_CASE("chunk walker: trailers are bounded") {
  const std::string line = "A: " + std::string(8 * 1024 - 7, 'x') + "\r\n";
  CHECK(walk("0\r\n" + line + "\r\n").state == State::kDone);
  CHECK(walk("0\r\n" + line + "A:\r\n").state == State::kRefused);
}
