#include "http/head_scanner.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using perigee::http::HeadLimits;
using perigee::http::HeadScanner;
using perigee::http::KnownField;
using perigee::http::Method;
using perigee::http::RequestHead;
using Verdict = perigee::http::HeadScanner::Verdict;

namespace {

constexpr int kIncomplete = 0;
constexpr int kComplete = 200;

struct Outcome {
  int verdict = kIncomplete;  ///< kIncomplete, kComplete or the status of the refusal
  std::string reason;
  std::uint32_t size = 0;
  bool operator==(const Outcome& other) const {
    return verdict == other.verdict && reason == other.reason && size == other.size;
  }
};

Outcome outcome_of(Verdict verdict, const HeadScanner& scanner, const RequestHead& head) {
  switch (verdict) {
    case Verdict::kComplete:
      return {kComplete, "", head.size};
    case Verdict::kRefused:
      return {scanner.status(), scanner.reason(), 0};
    case Verdict::kIncomplete:
      break;
  }
  return {};
}

/// Scans growing prefixes that end at `cuts` and then all of it. Each prefix is a copy of its own, so that a read
/// behind its end is seen by the address sanitizer.
Outcome scan_cut(const std::string& bytes, const std::vector<std::size_t>& cuts, const HeadLimits& limits,
                 RequestHead& head) {
  HeadScanner scanner;
  for (const std::size_t cut : cuts) {
    const std::unique_ptr<char[]> prefix(new char[cut]);
    bytes.copy(prefix.get(), cut);
    const Verdict verdict = scanner.scan(prefix.get(), cut, limits, head);
    if (verdict != Verdict::kIncomplete) {
      return outcome_of(verdict, scanner, head);
    }
  }
  return outcome_of(scanner.scan(bytes.data(), bytes.size(), limits, head), scanner, head);
}

/// Scans whole, cut once at every place, and byte by byte; all must agree.
Outcome scan(const std::string& bytes, const HeadLimits& limits = {}) {
  const auto head = std::make_unique<RequestHead>();
  const Outcome whole = scan_cut(bytes, {}, limits, *head);
  std::vector<std::size_t> every;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    every.push_back(cut);
    if (bytes.size() < 600) {
      CAPTURE(bytes, cut);
      CHECK(scan_cut(bytes, {cut}, limits, *head) == whole);
    }
  }
  CAPTURE(bytes);
  CHECK(scan_cut(bytes, every, limits, *head) == whole);
  return whole;
}

int verdict(const std::string& bytes, const HeadLimits& limits = {}) {
  return scan(bytes, limits).verdict;
}

/// A head that must be complete. The bytes live as long as it.
struct Scanned {
  explicit Scanned(std::string text) : bytes(std::move(text)) {
    HeadScanner scanner;
    const Verdict result = scanner.scan(bytes.data(), bytes.size(), {}, head);
    CAPTURE(bytes, scanner.reason());
    REQUIRE(result == Verdict::kComplete);
  }
  std::string bytes;
  RequestHead head;
};

std::string with_field(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n";
}

std::string with_target(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

struct Judged {
  std::string bytes;
  int expected;
};

void check_all(const std::vector<Judged>& table) {
  for (const Judged& entry : table) {
    CAPTURE(entry.bytes);
    CHECK(verdict(entry.bytes) == entry.expected);
  }
}

}  // namespace

TEST_CASE("head scanner: a plain request is taken apart") {
  const Scanned scanned("GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nX-One:  1 \t\r\nAccept: */*\r\n\r\nrest");
  const RequestHead& head = scanned.head;
  CHECK(head.size == scanned.bytes.size() - 4);
  CHECK(head.method == Method::kGet);
  CHECK(head.minor_version == 1);
  CHECK(head.text(head.method_text) == "GET");
  CHECK(head.text(head.target) == "/a/b?c=d");
  CHECK(head.path() == "/a/b");
  CHECK(head.path_is_raw);
  CHECK(head.text(head.query) == "c=d");
  CHECK(head.text(head.host) == "example.com:8080");
  CHECK(head.field_count == 3);
  CHECK(head.text(head.fields[1].name) == "X-One");
  CHECK(head.text(head.fields[1].value) == "1");
  CHECK(head.field(KnownField::kAccept) == "*/*");
  CHECK(head.field(KnownField::kCookie).data() == nullptr);
  CHECK(head.content_length == RequestHead::kNoLength);
  CHECK_FALSE(head.has_body());
  CHECK(head.keep_alive);
  CHECK_FALSE(head.upgrade);
}

TEST_CASE("head scanner: whole heads complete however they are cut") {
  check_all({{"GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", kComplete},
             {"GET / HTTP/1.0\r\n\r\n", kComplete},
             {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", kComplete},
             {"\r\nGET / HTTP/1.0\r\n\r\n", kComplete},
             {"\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", kComplete},
             {"QUERY /a HTTP/1.1\r\nhost: a\r\nX!#$%&'*+-.^_`|~: \xfc\r\n\r\n", kComplete},
             {"GET / HTTP/1.1\r\nHost:a\r\nEmpty:\r\nBlank: \t \r\n\r\n", kComplete},
             {"GET / HTTP/1.1\r\nHost: a\r\nIf-Unmodified-Since: x\r\nTransfer-Encoding: chunked\r\n\r\n", kComplete}});
}

TEST_CASE("head scanner: what is not whole is incomplete") {
  check_all({{"", kIncomplete},
             {"\r\n", kIncomplete},
             {"\r", kIncomplete},
             {"GE", kIncomplete},
             {"GET / HTTP/1.1\r", kIncomplete},
             {"GET / HTTP/1.1\r\nHost: a\r\n\r", kIncomplete}});
}

TEST_CASE("head scanner: a malformed request line is refused") {
  check_all({{"GET  / HTTP/1.1\r\n", 400},
             {"GET /  HTTP/1.1\r\n", 400},
             {" GET / HTTP/1.1\r\n", 400},
             {"GET\t/ HTTP/1.1\r\n", 400},
             {"G/T / HTTP/1.1\r\n", 400},
             {"GET /\r\n", 400},
             {"GET / \r\n", 400},
             {"GET\r\n", 400},
             {"GET / HTTP/1.1 x\r\n", 400},
             {"GET / HTTP/1.1 \r\n", 400},
             {"GET / HTTP/01.1\r\n", 400},
             {"GET / HTTP/1.11\r\n", 400},
             {"GET / HTTP/1.\r\n", 400},
             {"GET / http/1.1\r\n", 400},
             {"GET / ICE/1.0\r\n", 400},
             {"GET /foo bar HTTP/1.1\r\n", 400},
             {"\n", 400},
             {"\rG", 400},
             {"\r\n\r\n\r\n\r\n\r\n", 400},
             {"\x16\x03\x01\x02", 400},
             {std::string("G\0T", 3), 400}});
}

TEST_CASE("head scanner: a well-formed version other than 1.0 and 1.1 is 505") {
  check_all({{"GET / HTTP/2.0\r\n", 505},
             {"GET / HTTP/1.2\r\n", 505},
             {"GET / HTTP/0.9\r\n", 505},
             {"GET / HTTP/5.6\r\n", 505},
             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505}});
}

TEST_CASE("head scanner: a bare LF or CR is refused wherever it stands") {
  check_all({{"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\r\n\rX", 400},
             {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
             {"GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\r\nFoo\rBar: b\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\r\nFoo:\nBar: b\r\n\r\n", 400}});
}

TEST_CASE("head scanner: a malformed header line is refused") {
  check_all({{with_field("Foo"), 400},
             {with_field("Foo bar"), 400},
             {with_field("Foo : bar"), 400},
             {with_field(": bar"), 400},
             {with_field("Fo@: bar"), 400},
             {with_field("F\xc3\xbc: bar"), 400},
             {with_field("Content-Length : 4"), 400},
             {with_field(" folded"), 400},
             {with_field("\tfolded"), 400},
             {with_field("A: b\r\n folded"), 400},
             {with_field("A: b\x01"), 400},
             {with_field("A: b\x7f"), 400},
             {with_field("A: \x0c"), 400},
             {with_field(std::string("A: b\0c", 6)), 400},
             {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400}});
}

TEST_CASE("head scanner: exactly one valid Host is wanted of 1.1") {
  check_all({{"GET / HTTP/1.1\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
             {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", kComplete},
             {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", kComplete},
             {"GET http://a/ HTTP/1.1\r\n\r\n", 400},
             {"GET http://a/ HTTP/1.0\r\n\r\n", kComplete}});
}

TEST_CASE("head scanner: the absolute form wins over Host") {
  const Scanned scanned("GET http://foo:81?x HTTP/1.1\r\nHost: bar\r\n\r\n");
  CHECK(scanned.head.text(scanned.head.host) == "foo:81");
  CHECK(scanned.head.path() == "/");
  CHECK(scanned.head.text(scanned.head.query) == "x");
  CHECK(scanned.head.field(KnownField::kHost) == "bar");
  const Scanned deep("GET HTTPS://[::1]/a/../b?c?d HTTP/1.1\r\nHost: bar\r\n\r\n");
  CHECK(deep.head.text(deep.head.host) == "[::1]");
  CHECK(deep.head.path() == "/b");
  CHECK(deep.head.text(deep.head.query) == "c?d");
}

TEST_CASE("head scanner: a malformed target is refused") {
  check_all({{with_target("/#a"), 400},
             {with_target("/a\x80"), 400},
             {with_target("/\x7f"), 400},
             {with_target("/%00"), 400},
             {with_target("/%2f"), 400},
             {with_target("/a\\b"), 400},
             {with_target("/%4"), 400},
             {with_target("/.."), 400},
             {with_target("a"), 400},
             {with_target("*"), 400},
             {with_target("ftp://a/"), 400},
             {with_target("http://"), 400},
             {with_target("http:///a"), 400},
             {with_target("http://u@a/"), 400},
             {with_target("http://a:8o/"), 400},
             {with_target("a:80"), 400},
             {with_target("://a/"), 400},
             {with_target("?a"), 400}});
}

TEST_CASE("head scanner: a path is decoded, a query is not") {
  const std::vector<std::vector<std::string>> targets = {{"/a%20b?c%20d", "/a b", "c%20d"},
                                                         {"/a/./b", "/a/b", ""},
                                                         {"/a/../b?/../x", "/b", "/../x"},
                                                         {"/a?b\\c", "/a", "b\\c"},
                                                         {"/0123456789abcd/../x", "/x", ""},
                                                         {"/0123456789abcdef/./x", "/0123456789abcdef/x", ""},
                                                         {"/.well-known/x", "/.well-known/x", ""},
                                                         {"/favicon.ico", "/favicon.ico", ""},
                                                         {"/0123456789abcdef?%", "/0123456789abcdef", "%"},
                                                         {"//x", "//x", ""},
                                                         {"/?", "/", ""},
                                                         {"/a??", "/a", "?"}};
  for (const std::vector<std::string>& target : targets) {
    CAPTURE(target[0]);
    const Scanned scanned(with_target(target[0]));
    CHECK(scanned.head.path() == target[1]);
    CHECK(scanned.head.text(scanned.head.query) == target[2]);
    CHECK((scanned.head.path_is_raw ? scanned.head.text(scanned.head.raw_path) == target[1] : true));
  }
  CHECK(Scanned(with_target("/a/b.c/d?e=%41/.")).head.path_is_raw);
}

TEST_CASE("head scanner: OPTIONS takes an asterisk, CONNECT an authority") {
  const Scanned options("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(options.head.path() == "*");
  const Scanned connect("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(connect.head.method == Method::kConnect);
  CHECK(connect.head.text(connect.head.host) == "b:443");
  check_all({{"CONNECT / HTTP/1.0\r\n\r\n", 400},
             {"CONNECT b HTTP/1.0\r\n\r\n", 400},
             {"CONNECT b: HTTP/1.0\r\n\r\n", 400},
             {"CONNECT [::1] HTTP/1.0\r\n\r\n", 400},
             {"CONNECT [::1]:1 HTTP/1.0\r\n\r\n", kComplete},
             {"CONNECT http://b:1 HTTP/1.0\r\n\r\n", 400},
             {"TRACE / HTTP/1.0\r\n\r\n", kComplete}});
}

TEST_CASE("head scanner: any method token is an extension, but for known ones in another case") {
  const Scanned scanned("FROBNICATE /a HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(scanned.head.method == Method::kExtension);
  CHECK(scanned.head.text(scanned.head.method_text) == "FROBNICATE");
  CHECK(scanned.head.path() == "/a");
  check_all(
      {{"get / HTTP/1.0\r\n\r\n", 501}, {"Post / HTTP/1.0\r\n\r\n", 501}, {"gets / HTTP/1.0\r\n\r\n", kComplete}});
}

TEST_CASE("head scanner: framing that can be read two ways is refused") {
  check_all({{with_field("Content-Length: 4\r\nContent-Length: 4"), 400},
             {with_field("Content-Length: 4, 4"), 400},
             {with_field("Content-Length: 4 2"), 400},
             {with_field("Content-Length:"), 400},
             {with_field("Content-Length: +4"), 400},
             {with_field("Content-Length: -4"), 400},
             {with_field("Content-Length: 0x4"), 400},
             {with_field("Content-Length: 4a"), 400},
             {with_field("Content-Length: 9223372036854775807"), kComplete},
             {with_field("Content-Length: 9223372036854775808"), 400},
             {with_field("Content-Length: 18446744073709551617"), 400},
             {with_field("Content-Length: 4\r\nTransfer-Encoding: chunked"), 400},
             {with_field("Transfer-Encoding: chunked\r\nContent-Length: 4"), 400},
             {with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400},
             {with_field("Transfer-Encoding: chunked, chunked"), 400},
             {with_field("Transfer-Encoding: chunked, gzip"), 400},
             {with_field("Transfer-Encoding: chunkedchunked"), 400},
             {with_field("Transfer-Encoding: identity"), 400},
             {with_field("Transfer-Encoding: gzip"), 400},
             {with_field("Transfer-Encoding:"), 400},
             {with_field("Transfer-Encoding: \x0b chunked"), 400},
             {with_field("Transfer-Encoding: gzip, chunked"), 501},
             {with_field("Transfer-Encoding: CHUNKED"), kComplete},
             {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400}});
}

TEST_CASE("head scanner: framing reaches the head") {
  const Scanned sized(with_field("Content-Length: 0042"));
  CHECK(sized.head.content_length == 42);
  CHECK(sized.head.has_body());
  const Scanned empty(with_field("Content-Length: 0"));
  CHECK(empty.head.content_length == 0);
  CHECK_FALSE(empty.head.has_body());
  const Scanned chunked(with_field("Transfer-Encoding: Chunked"));
  CHECK(chunked.head.chunked);
  CHECK(chunked.head.has_body());
}

TEST_CASE("head scanner: the connection stays as version and Connection say") {
  const auto keeps = [](const std::string& version, const std::string& line) {
    return Scanned("GET / HTTP/" + version + "\r\nHost: a\r\n" + line + "\r\n").head.keep_alive;
  };
  CHECK(keeps("1.1", ""));
  CHECK_FALSE(keeps("1.1", "Connection: close\r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: foo, CLOSE\r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(keeps("1.0", ""));
  CHECK(keeps("1.0", "Connection: Keep-Alive\r\n"));
  CHECK(keeps("1.0", "Connection: , foo ,\tkeep-alive, \r\n"));
  CHECK_FALSE(keeps("1.0", "Connection: keep-alive, close\r\n"));
  check_all({{with_field("Connection: keep alive"), 400}, {with_field("Connection: close;x"), 400}});
}

TEST_CASE("head scanner: an upgrade wants both fields and 1.1") {
  CHECK(Scanned(with_field("Connection: keep-alive, Upgrade\r\nUpgrade: websocket")).head.upgrade);
  CHECK(Scanned(with_field("Connection: Upgrade\r\nUpgrade:\r\nUpgrade: x")).head.upgrade);
  CHECK_FALSE(Scanned(with_field("Connection: Upgrade\r\nUpgrade:")).head.upgrade);
  CHECK_FALSE(Scanned(with_field("Connection: Upgrade")).head.upgrade);
  CHECK_FALSE(Scanned(with_field("Upgrade: websocket")).head.upgrade);
  CHECK_FALSE(Scanned("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").head.upgrade);
}

TEST_CASE("head scanner: the only expectation is 100-continue") {
  CHECK(Scanned(with_field("Expect: 100-Continue")).head.expect_continue);
  CHECK_FALSE(Scanned("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").head.expect_continue);
  check_all({{with_field("Expect: 200-ok"), 417}, {with_field("Expect:"), 417}});
}

TEST_CASE("head scanner: a limit of exactly N lets N pass and refuses N + 1") {
  HeadLimits limits;
  limits.request_line = 20;  // "GET /xxxxxx HTTP/1.1"
  CHECK(verdict("GET /xxxxxx HTTP/1.1\r\nHost: a\r\n\r\n", limits) == kComplete);
  CHECK(verdict("GET /xxxxxxx HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 414);
  CHECK(verdict("GET /xxxxxxxxxxxxxxxxxxxxxxxxxxx", limits) == 414);
  CHECK(verdict("GETXXXXXXXXXXXXXXXXXXXXXXXXX", limits) == 414);
  CHECK(verdict("GET /xxxxxxx HTTP/1.2\r\nHost: a\r\n\r\n", limits) == 414);
  limits = HeadLimits();
  limits.field_line = 10;
  CHECK(verdict("GET / HTTP/1.1\r\nHost: abcd\r\n\r\n", limits) == kComplete);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: abcde\r\n\r\n", limits) == 431);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nXXXXXXXXXXXXXXXXXX", limits) == 431);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nX: xxxxxxxxxxxxxxx\x01", limits) == 431);
  limits = HeadLimits();
  limits.total = 27;
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits) == kComplete);
  limits.total = 26;
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 431);
  limits = HeadLimits();
  limits.fields = 2;
  CHECK(verdict(with_field("A: b"), limits) == kComplete);
  CHECK(verdict(with_field("A: b\r\nC: d"), limits) == 431);
}

TEST_CASE("head scanner: the default limits are those of the house") {
  const std::string line = "GET /" + std::string(8192 - 14, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(verdict(line) == kComplete);
  CHECK(verdict(std::string(line).insert(5, "x")) == 414);
  CHECK(verdict(with_field("A: " + std::string(8189, 'x'))) == kComplete);
  CHECK(verdict(with_field("A: " + std::string(8190, 'x'))) == 431);
  std::string fields;
  for (int i = 0; i < 98; ++i) {
    fields += "A: b\r\n";
  }
  CHECK(verdict(with_field(fields + "A: b")) == kComplete);
  CHECK(verdict(with_field(fields + "A: b\r\nA: b")) == 431);
}

TEST_CASE("head scanner: pipelined heads are scanned one after the other") {
  const std::string bytes = "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
  HeadScanner scanner;
  RequestHead head;
  REQUIRE(scanner.scan(bytes.data(), bytes.size(), {}, head) == Verdict::kComplete);
  CHECK(head.path() == "/1");
  CHECK_FALSE(head.keep_alive);
  const std::size_t size = head.size;
  REQUIRE(scanner.scan(bytes.data() + size, bytes.size() - size, {}, head) == Verdict::kComplete);
  CHECK(head.path() == "/2");
  CHECK(head.keep_alive);
  CHECK(head.field_count == 1);
}

TEST_CASE("head scanner: refused stays refused until reset") {
  HeadScanner scanner;
  RequestHead head;
  const std::string bad = "\x16";
  const std::string good = "GET / HTTP/1.0\r\n\r\n";
  CHECK(scanner.scan(bad.data(), bad.size(), {}, head) == Verdict::kRefused);
  CHECK(scanner.scan(good.data(), good.size(), {}, head) == Verdict::kRefused);
  CHECK(scanner.status() == 400);
  scanner.reset();
  CHECK(scanner.scan(good.data(), good.size(), {}, head) == Verdict::kComplete);
}
