#include "net/proxy_header.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using perigee::net::parse_proxy_header;
using perigee::net::ProxyHeader;
using Verdict = ProxyHeader::Verdict;

namespace {

constexpr char kSignature[] = "\r\n\r\n\0\r\nQUIT\n";

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

// A header of version 2: version and command, family and protocol, and what follows the length.
std::string binary(int command, int kind, const std::string& rest) {
  return std::string(kSignature, 12) + static_cast<char>(command) + static_cast<char>(kind) + number(rest.size()) +
         rest;
}

std::string tlv(int type, const std::string& value) {
  return static_cast<char>(type) + number(value.size()) + value;
}

// PP2_TYPE_SSL: the client's flags, the result of verifying, and the version as a TLV within.
std::string ssl(int client) {
  return tlv(0x20, static_cast<char>(client) + std::string(4, '\0') + tlv(0x21, "TLSv1.3"));
}

std::string tcp4() {
  return std::string("\xc0\x00\x02\x07\x7f\x00\x00\x01", 8) + number(51234) + number(443);
}

std::string tcp6(const std::string& first_bytes) {
  return first_bytes + std::string(16 - first_bytes.size(), '\x01') + std::string(16, '\x02') + number(1) + number(443);
}

std::string text_of(const ProxyHeader& header) {
  return header.told ? header.client.text() + " " + std::to_string(header.client.port) : "nobody";
}

}  // namespace

TEST_CASE("proxy header: it names the client, in text and in bytes, over either family") {
  struct Case {
    std::string header;
    std::string client;
    bool secure;
  };
  const std::string mapped = std::string(10, '\0') + "\xff\xff\xc0" + std::string("\0\x02\x07", 3);
  const std::string sockets = "/run/client" + std::string(97, '\0') + std::string(108, '\0');
  const Case c = GENERATE_COPY(values<Case>({
      {"PROXY TCP4 192.0.2.7 127.0.0.1 51234 443\r\n", "192.0.2.7 51234", false},
      {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255 65535", false},
      {"PROXY TCP6 2001:db8::7 ::1 1 2\r\n", "2001:db8::7 1", false},
      {"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7 1", false},
      {"PROXY UNKNOWN\r\n", "nobody", false},
      {"PROXY UNKNOWN ffff:f...f:ffff whatever \x01\r\n", "nobody", false},
      {binary(0x21, 0x11, tcp4()), "192.0.2.7 51234", false},
      {binary(0x21, 0x21, tcp6("\x20\x01\x0d\xb8")), "2001:db8:101:101:101:101:101:101 1", false},
      {binary(0x21, 0x21, tcp6(mapped)), "192.0.2.7 1", false},
      {binary(0x21, 0x31, sockets), "unix 0", false},
      {binary(0x21, 0x11, tcp4() + ssl(1)), "192.0.2.7 51234", true},
      {binary(0x21, 0x11, tcp4() + ssl(7)), "192.0.2.7 51234", true},
      {binary(0x21, 0x11, tcp4() + ssl(0)), "192.0.2.7 51234", false},
      {binary(0x21, 0x11, tcp4() + tlv(0x01, "h2") + tlv(0xea, std::string(300, 'x')) + ssl(1) + tlv(4, "")),
       "192.0.2.7 51234", true},
      {binary(0x20, 0x00, ""), "nobody", false},
      {binary(0x20, 0x11, tcp4() + "junk"), "nobody", false},  // LOCAL: the rest is skipped
      {binary(0x20, 0xff, "junk"), "nobody", false},
      {binary(0x21, 0x00, ""), "nobody", false},
      {binary(0x21, 0x00, ssl(1)), "nobody", true},
      {binary(0x21, 0x12, tcp4()), "nobody", false},  // a datagram's addresses are not this connection's
      {binary(0x21, 0x10, tcp4()), "nobody", false},
  }));
  INFO(c.header);
  const ProxyHeader header = parse_proxy_header(c.header);
  REQUIRE(header.verdict == Verdict::kComplete);
  CHECK(header.size == c.header.size());
  CHECK(text_of(header) == c.client);
  CHECK(header.secure == c.secure);

  for (std::size_t size = 0; size < c.header.size(); ++size) {
    INFO(size);
    CHECK(parse_proxy_header(std::string_view(c.header).substr(0, size)).verdict == Verdict::kIncomplete);
  }
  const ProxyHeader with_request = parse_proxy_header(c.header + "GET / HTTP/1.1\r\n\r\n");
  CHECK(with_request.verdict == Verdict::kComplete);
  CHECK(with_request.size == c.header.size());
  CHECK(text_of(with_request) == c.client);
}

TEST_CASE("proxy header: what is none, or a wrong one, is malformed") {
  const std::string header = GENERATE_COPY(values<std::string>({
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "G",
      "proxy TCP4 192.0.2.7 127.0.0.1 1 2\r\n",
      "PROXY\tTCP4 192.0.2.7 127.0.0.1 1 2\r\n",
      "PROXY  TCP4 192.0.2.7 127.0.0.1 1 2\r\n",
      "PROXY TCP4  192.0.2.7 127.0.0.1 1 2\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 1 2 \r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 1 2 3\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 1\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1\r\n",
      "PROXY TCP4\r\n",
      "PROXY \r\n",
      "PROXY TCP5 192.0.2.7 127.0.0.1 1 2\r\n",
      "PROXY UNKNOWNS\r\n",
      "PROXY TCP4 ::1 ::1 1 2\r\n",
      "PROXY TCP6 192.0.2.7 127.0.0.1 1 2\r\n",
      "PROXY TCP4 192.0.2.256 127.0.0.1 1 2\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.x 1 2\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 65536 2\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 1 65536\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 01 2\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 -1 2\r\n",
      "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\n\r\n",
      "PROXY UNKNOWN " + std::string(200, 'x') + "\r\n",
      "PROXY UNKNOWN" + std::string(94, ' '),
      "\r\n\r\n\r\n",
      std::string(kSignature, 12) + '\x11',
      std::string(kSignature, 12) + '\x31',
      binary(0x22, 0x11, tcp4()),
      binary(0x21, 0x41, tcp4()),
      binary(0x21, 0x13, tcp4()),
      binary(0x21, 0x11, tcp4().substr(0, 11)),
      binary(0x21, 0x21, tcp4()),
      binary(0x21, 0x31, tcp4()),
      binary(0x21, 0x11, ""),
      binary(0x21, 0x11, tcp4() + "\x01"),
      binary(0x21, 0x11, tcp4() + std::string("\x01\x00\x02x", 4)),
      binary(0x21, 0x11, tcp4() + tlv(0x20, "\x01\x01\x01\x01")),
      binary(0x21, 0x11, tcp4() + tlv(0x04, std::string(4081 - 12 - 3, 'x'))),
      std::string(kSignature, 12) + "\x21\x11\xff\xff",
  }));
  INFO(header);
  const ProxyHeader read = parse_proxy_header(header);
  CHECK(read.verdict == Verdict::kMalformed);
  CHECK_FALSE(read.reason.empty());
  CHECK_FALSE(read.told);
}

TEST_CASE("proxy header: the longest of either version is read") {
  CHECK(parse_proxy_header("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n").size == 107);
  const ProxyHeader header =
      parse_proxy_header(binary(0x21, 0x11, tcp4() + tlv(0x04, std::string(4080 - 12 - 3, '\0'))));
  CHECK(header.verdict == Verdict::kComplete);
  CHECK(header.size == ProxyHeader::kMostBinary);
}
