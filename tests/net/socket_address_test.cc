#include "net/socket_address.h"

#include <catch2/catch.hpp>

using perigee::net::SocketAddress;

TEST_CASE("socket address: what parse reads, text writes") {
  const auto [input, text, host, port, loopback] = GENERATE(table<std::string, std::string, std::string, int, bool>({
      {"127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", 8080, true},
      {"localhost:80", "127.0.0.1:80", "127.0.0.1", 80, true},
      {"127.8.9.1:1", "127.8.9.1:1", "127.8.9.1", 1, true},
      {":8080", "0.0.0.0:8080", "0.0.0.0", 8080, false},
      {"*:0", "0.0.0.0:0", "0.0.0.0", 0, false},
      {"10.1.2.3:65535", "10.1.2.3:65535", "10.1.2.3", 65535, false},
      {"[::1]:8080", "[::1]:8080", "::1", 8080, true},
      {"[::]:443", "[::]:443", "::", 443, false},
      {"[2001:DB8::0001]:443", "[2001:db8::1]:443", "2001:db8::1", 443, false},
      {"unix:/run/perigee.sock", "unix:/run/perigee.sock", "unix", 0, true},
      {"unix:relative.sock", "unix:relative.sock", "unix", 0, true},
      {"unix:odd:8080", "unix:odd:8080", "unix", 0, true},
  }));
  const auto address = SocketAddress::parse(input);
  REQUIRE(address);
  CHECK(address->text() == text);
  CHECK(address->host() == host);
  CHECK(address->port() == port);
  CHECK(address->is_loopback() == loopback);
  CHECK(address->is_unix() == (host == "unix"));
}

TEST_CASE("socket address: what is no address is an error that names the text and what to write") {
  const auto [input, message] = GENERATE(table<std::string, std::string>({
      {"8080", "'8080' is no address: write HOST:PORT, [IPV6]:PORT or unix:PATH"},
      {"", "'' is no address: write HOST:PORT, [IPV6]:PORT or unix:PATH"},
      {"127.0.0.1:", "'127.0.0.1:' has no port from 0 to 65535"},
      {"127.0.0.1:65536", "'127.0.0.1:65536' has no port from 0 to 65535"},
      {"127.0.0.1:-1", "'127.0.0.1:-1' has no port from 0 to 65535"},
      {"127.0.0.1:+1", "'127.0.0.1:+1' has no port from 0 to 65535"},
      {"127.0.0.1:80 ", "'127.0.0.1:80 ' has no port from 0 to 65535"},
      {"127.0.0.1:http", "'127.0.0.1:http' has no port from 0 to 65535"},
      {"[::1]", "'[::1]' has no port from 0 to 65535"},
      {"example.org:80", "'example.org:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"1.2.3:80", "'1.2.3:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"1.2.3.256:80", "'1.2.3.256:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"::1:80", "'::1:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"[]:80", "'[]:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"[:80", "'[:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"[127.0.0.1]:80", "'[127.0.0.1]:80' names no IP address: write 127.0.0.1:8080, [::1]:8080 or unix:PATH"},
      {"unix:", "'unix:' is no Unix socket path of 1 to 107 bytes"},
  }));
  const auto address = SocketAddress::parse(input);
  REQUIRE_FALSE(address);
  CHECK(address.error().message == message);
}

TEST_CASE("socket address: a unix path takes up to 107 bytes") {
  CHECK(SocketAddress::parse("unix:" + std::string(107, 'p')));
  const auto long_one = SocketAddress::parse("unix:" + std::string(108, 'p'));
  REQUIRE_FALSE(long_one);
  CHECK(long_one.error().message == "'unix:" + std::string(108, 'p') + "' is no Unix socket path of 1 to 107 bytes");
}
