#include "http/head_memo.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/head_scanner.h"

using perigee::Span;
using perigee::http::HeadMemo;
using perigee::http::HeadScanner;
using perigee::http::KnownField;
using perigee::http::RequestHead;
using Verdict = perigee::http::HeadScanner::Verdict;

namespace {

const std::string kLines = "Host: example.com\r\nAccept:  */* \r\nX-Own: 1\r\nCookie: a=b\r\n\r\n";

bool same(Span a, Span b) {
  return a.size == b.size && (a.size == 0 || a.offset == b.offset);
}

bool same(const RequestHead& a, const RequestHead& b) {
  return a.size == b.size && a.method == b.method && a.minor_version == b.minor_version && same(a.target, b.target) &&
         same(a.host, b.host) && a.content_length == b.content_length && a.chunked == b.chunked &&
         a.keep_alive == b.keep_alive && a.expect_continue == b.expect_continue && a.upgrade == b.upgrade &&
         a.path() == b.path() && a.field_count == b.field_count && a.known == b.known &&
         std::equal(a.fields.begin(), a.fields.begin() + a.field_count, b.fields.begin(),
                    [](const auto& x, const auto& y) { return same(x.name, y.name) && same(x.value, y.value); });
}

/// A connection that scans one head after the other and keeps a memo.
class Client {
 public:
  /// Whether the head was complete; it must be as it is without a memo.
  bool scan(const std::string& bytes) {
    const std::unique_ptr<char[]> copy(new char[bytes.size()]);  // so that no read goes behind its end
    bytes.copy(copy.get(), bytes.size());
    HeadScanner scanner;
    const Verdict verdict = scanner.scan(copy.get(), bytes.size(), {}, head_, &memo_);
    CAPTURE(bytes);
    HeadScanner plain;
    const auto expected = std::make_unique<RequestHead>();
    CHECK(plain.scan(copy.get(), bytes.size(), {}, *expected) == verdict);
    CHECK((verdict != Verdict::kComplete || same(*expected, head_)));
    return verdict == Verdict::kComplete;
  }

  /// Whether the lines are those remembered.
  bool knows(const std::string& lines) const { return memo_.matches(lines.data(), lines.data() + lines.size()); }

 private:
  HeadMemo memo_;
  RequestHead head_;
};

std::string request(const std::string& lines, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + lines;
}

}  // namespace

TEST_CASE("head memo: lines that come again are known, wherever they stand") {
  Client client;
  CHECK(client.scan(request(kLines)));
  CHECK(client.knows(kLines));
  CHECK(client.scan(request(kLines)));
  CHECK(client.scan(request(kLines, "POST /a/long%20path?with=query HTTP/1.1")));
  CHECK(client.scan("\r\n" + request(kLines)));
  CHECK(client.scan(request(kLines) + "GET / HTTP/1.1\r\n"));
}

TEST_CASE("head memo: other lines are read") {
  Client client;
  CHECK(client.scan(request(kLines)));
  for (const std::string lines :
       {"Host: example.com\r\nAccept:  */* \r\nX-Own: 2\r\nCookie: a=b\r\n\r\n",
        "Host: example.com\r\nAccept:  */* \r\nX-Own: 1\r\nCookie: a=b\r\nX: y\r\n\r\n", "Host: example.com\r\n\r\n"}) {
    CHECK(client.scan(request(lines)));
  }
  CHECK_FALSE(
      client.scan(request("Host: example.com\r\nAccept:  */* \r\nX-Own: 1\r\nCookie: a=b\r\nbad line\r\n\r\n")));
  CHECK_FALSE(client.scan(request("Host: example.com\r\nAccept:  */* \r\nX-Own: 1\r\nCookie: a=b\r\n\rx")));
}

TEST_CASE("head memo: lines that are not all there are waited for") {
  const std::string bytes = request(kLines);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Client client;
    CHECK(client.scan(bytes));
    CHECK_FALSE(client.scan(bytes.substr(0, size)));
  }
  HeadMemo memo;
  HeadScanner scanner;
  RequestHead head;
  CHECK(scanner.scan(bytes.data(), bytes.size(), {}, head, &memo) == Verdict::kComplete);
  CHECK(scanner.scan(bytes.data(), bytes.size() - 20, {}, head, &memo) == Verdict::kIncomplete);
  CHECK(scanner.scan(bytes.data(), bytes.size(), {}, head, &memo) == Verdict::kComplete);
  CHECK(head.size == bytes.size());
  CHECK(head.field(KnownField::kCookie) == "a=b");
}

TEST_CASE("head memo: lines that mean something else in another request are read again") {
  Client client;
  CHECK(client.scan(request(kLines)));
  CHECK(client.scan(request(kLines, "GET / HTTP/1.0")));
  CHECK(client.scan(request(kLines, "GET http://other.example/ HTTP/1.1")));
  CHECK(client.scan(request(kLines, "CONNECT other.example:1 HTTP/1.1")));
  CHECK_FALSE(client.scan(request(kLines, "GET / HTTP/1.2")));
  CHECK(client.scan(request(kLines)));
}

TEST_CASE("head memo: what is not usual is not remembered") {
  for (const std::string field : {"Connection: close", "Connection: keep-alive, upgrade\r\nUpgrade: websocket",
                                  "Transfer-Encoding: chunked", "Expect: 100-continue"}) {
    const std::string lines = "Host: a\r\n" + field + "\r\n\r\n";
    Client client;
    CHECK(client.scan(request(lines)));
    CHECK_FALSE(client.knows(lines));
    CHECK(client.scan(request(lines)));
  }
  for (const std::string line : {"GET / HTTP/1.0", "GET http://other.example/ HTTP/1.1"}) {
    Client client;
    CHECK(client.scan(request(kLines, line)));
    CHECK_FALSE(client.knows(kLines));
  }
}

TEST_CASE("head memo: a length, a field without a value and fields that come twice are remembered") {
  for (const std::string field : {"Host: a\r\nContent-Length: 12", "Host: a\r\nContent-Length: 0",
                                  "Host: a\r\nX:", "Host: a\r\nX: 1\r\nx: 2\r\nAccept: b\r\naccept: c"}) {
    const std::string lines = field + "\r\n\r\n";
    Client client;
    CHECK(client.scan(request(lines)));
    CHECK(client.knows(lines));
    CHECK(client.scan(request(lines, "PUT /longer HTTP/1.1")));
  }
}

TEST_CASE("head memo: as many bytes and fields are remembered as there is room for") {
  for (const std::size_t fields : {HeadMemo::kMostFields, HeadMemo::kMostFields + 1}) {
    std::string lines = "Host: a\r\n";
    for (std::size_t i = 1; i < fields; ++i) {
      lines += "X-" + std::to_string(i) + ": 1\r\n";
    }
    lines += "\r\n";
    Client client;
    CHECK(client.scan(request(lines)));
    CHECK(client.knows(lines) == (fields == HeadMemo::kMostFields));
    CHECK(client.scan(request(lines)));
  }
  for (const std::size_t size : {HeadMemo::kMostBytes, HeadMemo::kMostBytes + 1}) {
    const std::string frame = "Host: a\r\nX: \r\n\r\n";
    std::string lines = frame;
    lines.insert(frame.size() - 4, std::string(size - frame.size(), 'y'));
    Client client;
    CHECK(client.scan(request(lines)));
    CHECK(client.knows(lines) == (size == HeadMemo::kMostBytes));
    CHECK(client.scan(request(lines)));
  }
}

TEST_CASE("head memo: lines that were of use outlast others, and go in the end") {
  const std::string other = "Host: b\r\n\r\n";
  Client client;
  CHECK(client.scan(request(kLines)));
  CHECK(client.scan(request(other)));
  CHECK(client.knows(kLines));
  CHECK(client.scan(request(kLines)));
  int heads = 0;
  while (!client.knows(other) && heads < 100) {
    CHECK(client.scan(request(other)));
    ++heads;
  }
  CHECK(heads == 17);
  heads = 0;
  while (!client.knows(kLines) && heads < 100) {
    CHECK(client.scan(request(kLines)));
    ++heads;
  }
  CHECK(heads == 5);
}

TEST_CASE("head memo: lines that are never of use are kept ever more seldom") {
  Client client;
  int number = 0;
  int last_kept = 0;
  std::vector<int> waited;
  while (waited.size() < 9 && number < 2000) {
    const std::string lines = "Host: a\r\nX-Request-Id: " + std::to_string(++number) + "\r\n\r\n";
    CHECK(client.scan(request(lines)));
    if (client.knows(lines)) {
      waited.push_back(number - last_kept);
      last_kept = number;
    }
  }
  CHECK(waited == std::vector<int>{1, 5, 9, 17, 33, 65, 129, 129, 129});
}
