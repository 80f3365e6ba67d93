#include "http/forwarded.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/head_scanner.h"

using namespace perigee::http;

namespace {

// A scanned request with these header lines.
class Scanned {
 public:
  explicit Scanned(const std::string& lines) : text_("GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n") {
    HeadScanner scanner;
    REQUIRE(scanner.scan(text_.data(), text_.size(), HeadLimits(), head) == HeadScanner::Verdict::kComplete);
  }
  RequestHead head;

 private:
  std::string text_;
};

// "node proto|node proto", the nearest hop first; "-" for what is not told.
std::string hops_of(const std::string& lines) {
  const Scanned scanned(lines);
  ForwardedHops hops(scanned.head);
  std::string text;
  while (const auto hop = hops.next()) {
    text += (text.empty() ? "" : "|") + (hop->node.empty() ? "-" : hop->node) + " " +
            (hop->proto.empty() ? "-" : hop->proto);
  }
  return text;
}

}  // namespace

TEST_CASE("forwarded: an element gives its sender and how it was sent") {
  struct Case {
    std::string element, node, proto;
  };
  const Case c = GENERATE(values<Case>({
      {"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", "http"},  // RFC 7239 section 4
      {"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", ""},
      {"for=\"_gazonk\"", "", ""},
      {"for=unknown", "", ""},
      {"for=Unknown;proto=https", "", "https"},
      {"for=_hidden", "", ""},
      {"for=\"192.0.2.43:47011\"", "192.0.2.43", ""},
      {"for=\"192.0.2.43:_port\"", "192.0.2.43", ""},
      {"for=\"\\1\\92.0.2.43\"", "192.0.2.43", ""},
      {"for=192.0.2.43 ; proto=HTTPS ;", "192.0.2.43", "https"},
      {";;for=192.0.2.43;;proto=https", "192.0.2.43", "https"},
      {"proto=https", "", "https"},
      {"by=\"[::1]\";host=\"a,b;c\"", "", ""},
      {"for=192.0.2.43;proto=wss", "192.0.2.43", ""},
      {"for=192.0.2.43;ext=\"\"", "192.0.2.43", ""},
      {"", "", ""},
  }));
  INFO(c.element);
  const auto hop = parse_forwarded_element(c.element);
  REQUIRE(hop.has_value());
  CHECK(hop->node == c.node);
  CHECK(hop->proto == c.proto);
}

TEST_CASE("forwarded: a malformed element is none") {
  const std::string element = GENERATE(
      as<std::string>(), "for", "for=", "=192.0.2.1", "for =192.0.2.1", "for= 192.0.2.1", "for=192.0.2.1;for=192.0.2.2",
      "for=192.0.2.1;FOR=192.0.2.1", "proto=http;proto=https", "for=[::1]", "for=::1", "for=192.0.2.1:80",
      "for=\"::1\"", "for=\"[::1\"", "for=\"[::1]80\"", "for=\"[::1]:\"", "for=\"[::1]:123456\"", "for=\"[::1]:_\"",
      "for=\"[]\"", "for=\"[192.0.2.1]\"", "for=\"\"", "for=\":80\"", "for=\"192.0.2.1", "for=\"192.0.2.1\\",
      "for=\"192.0.2.1\"x", "for=192.0.2.1 proto=https", "for=192.0.2.1;nonsense", "for=banana", "for=\"a, for=b\"",
      "for=\"[::1%lo]\"", "for=a\x7f", "f\"or=192.0.2.1");
  INFO(element);
  CHECK_FALSE(parse_forwarded_element(element).has_value());
}

TEST_CASE("forwarded: hops come nearest first, over all lines of a header") {
  struct Case {
    std::string lines, hops;
  };
  const Case c = GENERATE(values<Case>({
      {"", ""},
      {"Forwarded: for=192.0.2.43, for=198.51.100.17\r\n", "198.51.100.17 -|192.0.2.43 -"},
      {"Forwarded: for=192.0.2.43\r\nX-A: b\r\nforwarded: for=198.51.100.17;proto=https\r\n",
       "198.51.100.17 https|192.0.2.43 -"},
      {"Forwarded: , for=192.0.2.43 ,,\r\n", "192.0.2.43 -"},
      {"Forwarded:\r\nForwarded: ,\r\n", ""},
      {"Forwarded: for=192.0.2.1;x=\",\\\",\", for=\"[2001:db8::1]\"\r\n", "2001:db8::1 -|192.0.2.1 -"},
      {"Forwarded: for=192.0.2.1, nonsense, for=192.0.2.2\r\n", "192.0.2.2 -"},
      {"Forwarded: for=192.0.2.1;proto=https, for=\"192.0.2.2\r\n", ""},  // a quote that nobody closes
      {"Forwarded: for=\"x, for=\"[2001:db8::1]\"\r\n", ""},
      {"Forwarded: for=\"\\\r\n", ""},
      {"X-Forwarded-For: 192.0.2.43, 2001:db8::1 ,198.51.100.17\r\n", "198.51.100.17 -|2001:db8::1 -|192.0.2.43 -"},
      {"X-Forwarded-For: 192.0.2.43:8080, [2001:db8::1]:80, [2001:db8::2]\r\n",
       "2001:db8::2 -|2001:db8::1 -|192.0.2.43 -"},
      {"X-Forwarded-For: 192.0.2.43\r\nX-Forwarded-For: 198.51.100.17\r\nX-Forwarded-Proto: https\r\n",
       "198.51.100.17 https|192.0.2.43 -"},
      {"X-Forwarded-For: 192.0.2.43, 198.51.100.17\r\nX-Forwarded-Proto: https, http\r\n",
       "198.51.100.17 http|192.0.2.43 https"},
      {"X-Forwarded-For: 192.0.2.43\r\nX-Forwarded-Proto: ftp\r\n", "192.0.2.43 -"},
      {"X-Forwarded-Proto: http, HTTPS\r\n", "- https"},
      {"X-Forwarded-For: unknown, 192.0.2.1\r\n", "192.0.2.1 -|- -"},
      {"X-Forwarded-For: 192.0.2.1, :80, 192.0.2.2\r\n", "192.0.2.2 -"},
      {"X-Forwarded-For: 192.0.2.1, \", 192.0.2.2\r\n", "192.0.2.2 -"},
      {"X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2;proto=https\r\n", "192.0.2.1 -"},
      {"Forwarded: for=192.0.2.2\r\nX-Forwarded-Proto: https\r\n", "- https"},
      {"X-Forwarded-Host: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n", ""},
  }));
  INFO(c.lines);
  CHECK(hops_of(c.lines) == c.hops);
}

TEST_CASE("forwarded: a line of many hops is walked whole") {
  std::string line = "X-Forwarded-For: ";
  for (int i = 0; i < 500; ++i) {
    line += "10.0.0.1,";
  }
  const Scanned scanned(line + "\r\n");
  ForwardedHops hops(scanned.head);
  int count = 0;
  while (hops.next()) {
    ++count;
  }
  CHECK(count == 500);
}

TEST_CASE("forwarded: a request id is one short token or none") {
  struct Case {
    std::string lines, id;
  };
  const Case c = GENERATE(values<Case>({
      {"", ""},
      {"X-Request-Id: 7f3a-9_C.x\r\n", "7f3a-9_C.x"},
      {"x-request-id: " + std::string(128, 'a') + "\r\n", std::string(128, 'a')},
      {"x-request-id: " + std::string(129, 'a') + "\r\n", ""},
      {"X-Request-Id:\r\n", ""},
      {"X-Request-Id: a b\r\n", ""},
      {"X-Request-Id: a\"b\r\n", ""},
      {"X-Request-Id: <script>\r\n", ""},
      {"X-Request-Id: \xc3\xa4\r\n", ""},
      {"X-Request-Id: a\r\nX-Request-Id: a\r\n", ""},
  }));
  INFO(c.lines);
  const Scanned scanned(c.lines);
  CHECK(given_request_id(scanned.head) == c.id);
}
