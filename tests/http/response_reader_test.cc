#include "http/response_reader.h"

#include <catch2/catch.hpp>

using perigee::http::ResponseReader;
using State = perigee::http::ResponseReader::State;

namespace {

// What came of an answer: its state, its body, or why it was refused; the bytes cut into pieces of `size`.
struct Read {
  State state;
  std::string body;
  std::string reason;
  std::size_t used = 0;
  bool keeps_open = false;
  int status = 0;
};

Read read(const std::string& bytes, std::size_t size, const char* method = "GET", bool end = false) {
  ResponseReader reader;
  reader.begin(method);
  Read result{};
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const std::string piece = bytes.substr(at, size);
    const std::size_t used = reader.feed(piece, result.body);
    result.used += used;
    if (used < piece.size() || reader.state() == State::kDone || reader.state() == State::kRefused) {
      break;
    }
  }
  if (end) {
    reader.end();
  }
  result.state = reader.state();
  result.reason = reader.reason();
  if (result.state != State::kHead && result.state != State::kRefused) {
    result.keeps_open = reader.keeps_open();
    result.status = reader.status();
  }
  return result;
}

}  // namespace

TEST_CASE("response reader: each framing, however it is cut") {
  struct Case {
    const char* bytes;
    const char* body;
    bool keeps_open;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc", true},
      {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 3\r\n\r\nabc", "abc", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", false},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", "abc", true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", true},
      {"HTTP/1.1 204 No\r\n\r\n", "", true},
      {"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "", true},
  };
  for (const Case& each : cases) {
    for (const std::size_t size : {std::size_t(1), std::size_t(7), std::size_t(4096)}) {
      INFO(each.bytes << " by " << size);
      const Read result = read(each.bytes, size);
      CHECK(result.state == State::kDone);
      CHECK(result.body == each.body);
      CHECK(result.keeps_open == each.keeps_open);
      CHECK(result.used == std::string(each.bytes).size());
    }
  }
}

TEST_CASE("response reader: a body without a length ends with the connection; any other that is cut is refused") {
  const Read whole = read("HTTP/1.1 200 OK\r\n\r\nabc", 4096, "GET", true);
  CHECK(whole.state == State::kDone);
  CHECK(whole.body == "abc");
  CHECK_FALSE(whole.keeps_open);
  for (const char* cut : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"}) {
    CHECK(read(cut, 4096, "GET", true).reason == "it ends too early");
  }
}

TEST_CASE("response reader: HEAD and a tunnel have no body; what follows is left") {
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 1, "HEAD").state == State::kDone);
  CHECK(read("HTTP/1.1 200 OK\r\n\r\nTLS", 4096, "CONNECT").used == 19);
  CHECK(read("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", 4096, "CONNECT").body == "no");
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", 4096).used == 39);
}

TEST_CASE("response reader: what can be read two ways, or not at all, is refused") {
  const std::pair<const char*, const char*> cases[] = {
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", "it does not begin with a status line of HTTP/1"},
      {"HTTP/2.0 200 OK\r\n\r\n", "it does not begin with a status line of HTTP/1"},
      {"HTTP/1.1  200 OK\r\n\r\n", "it does not begin with a status line of HTTP/1"},
      {"HTTP/1.1 020 OK\r\n\r\n", "it does not begin with a status line of HTTP/1"},
      {"HTTP/1.1 200OK\r\n\r\n", "it does not begin with a status line of HTTP/1"},
      {"HTTP/1.1 101 Up\r\n\r\n", "it changes the protocol, which nobody asked for"},
      {"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\r\nA : x\r\n\r\n", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\r\nA: x\r\n y\r\n\r\n", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\r\nA: x\ry\r\n\r\n", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\r\nA: x\nB: y\r\n\r\n", "a line of its head is malformed"},
      {"\nHTTP/1.1 200 OK", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi", "a line of its head is malformed"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "its length can be read two ways"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "its length can be read two ways"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "its length can be read two ways"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "its length can be read two ways"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "its length can be read two ways"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "its length is no number"},
      {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "its length is no number"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", "its length is no number"},
  };
  for (const auto& [bytes, reason] : cases) {
    for (const std::size_t size : {std::size_t(1), std::size_t(4096)}) {
      INFO(bytes);
      const Read result = read(bytes, size);
      CHECK(result.state == State::kRefused);
      CHECK(result.reason == reason);
    }
  }
}

TEST_CASE("response reader: a head is bounded, by bytes and by fields") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  CHECK(read(ok + "X: " + std::string(ResponseReader::kMostHead, 'x'), 100).reason == "its head is too large");
  std::string fields;
  for (int i = 0; i < 257; ++i) {
    fields += "X: y\r\n";
  }
  CHECK(read(ok + fields + "\r\n", 4096).reason == "its head is too large");
  std::string hints;
  while (hints.size() <= ResponseReader::kMostHead) {
    hints += "HTTP/1.1 103 Early\r\n\r\n";
  }
  CHECK(read(hints + ok + "\r\n", 4096).reason == "its head is too large");
}

TEST_CASE("response reader: fields are found in any case; it reads another answer after begin()") {
  ResponseReader reader;
  std::string body;
  reader.begin("GET");
  const std::string first = "HTTP/1.1 200 OK\r\nX-A:  one \r\nContent-Length: 1\r\n\r\na";
  CHECK(reader.feed(first, body) == first.size());
  CHECK(reader.field("x-a") == "one");
  CHECK(reader.field("none").empty());
  CHECK(reader.length() == 1);
  reader.begin("GET");
  const std::string second = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
  CHECK(reader.feed(second, body) == second.size());
  CHECK(reader.status() == 404);
  CHECK(reader.fields().size() == 1);
}

TEST_CASE("response reader: a head that is the same as the one before means the same") {
  struct Case {
    const char* method;
    const char* bytes;
    State state;
    const char* body;
  };
  const Case cases[] = {
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", State::kDone, "abc"},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ndef", State::kDone, "def"},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", State::kDone, ""},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", State::kDone, "abc"},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", State::kBody, "ab"},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3", State::kHead, ""},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", State::kDone, "ab"},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nab", State::kDone, "ab"},
      {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", State::kDone, "ab"},
      {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", State::kDone, "abc"},
      {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx", State::kRefused, ""},
      {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", State::kDone, "a"},
      {"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nab", State::kBody, "ab"},
      {"GET", "HTTP/1.1 200 OK\r\n\r\nc", State::kBody, "c"},
      {"GET", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", State::kRefused, ""},
      {"GET", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", State::kRefused, ""},
      {"GET", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", State::kDone, ""},
  };
  for (const std::size_t size : {std::size_t(1), std::size_t(9), std::size_t(4096)}) {
    ResponseReader reader;
    for (const Case& each : cases) {
      INFO(each.bytes << " by " << size);
      std::string body;
      std::string_view rest(each.bytes);
      reader.begin(each.method);
      while (!rest.empty() && reader.state() != State::kDone && reader.state() != State::kRefused) {
        rest.remove_prefix(reader.feed(rest.substr(0, size), body));
      }
      CHECK(reader.state() == each.state);
      CHECK(body == each.body);
      if (each.state == State::kDone || each.state == State::kBody) {
        CHECK(reader.head().ends_with("\r\n\r\n"));
        CHECK(std::string_view(each.bytes).find(reader.head()) != std::string_view::npos);
        CHECK(reader.fields().size() == (reader.head().find("X: y") == std::string_view::npos
                                             ? reader.head().find(':') != std::string_view::npos
                                             : 2));
      }
    }
  }
}
