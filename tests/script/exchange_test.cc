#include "script/exchange.h"

#include <catch2/catch.hpp>
#include <vector>

using perigee::script::Exchange;

namespace {

// A request whose bytes can be taken away: what still reads right afterwards does not depend on them.
class Scanned {
 public:
  explicit Scanned(const std::string& bytes) : bytes_(bytes.begin(), bytes.end()) {
    REQUIRE(exchange.scanner.scan(bytes_.data(), bytes_.size(), {}, exchange.head) ==
            perigee::http::HeadScanner::Verdict::kComplete);
    exchange.publish();
  }

  void lose_the_buffer() {
    std::fill(bytes_.begin(), bytes_.end(), '!');
    bytes_.clear();
    bytes_.shrink_to_fit();
  }

  [[nodiscard]] std::vector<std::string> pairs(std::int32_t count) const {
    std::vector<std::string> texts;
    for (std::int32_t i = 0; i < count; ++i) {
      const auto& pair = exchange.view.pairs[i];
      texts.push_back(std::string(pair.name.view()) + "=" + std::string(pair.value.view()));
    }
    return texts;
  }

  Exchange exchange;

 private:
  std::vector<char> bytes_;
};

std::string with_target(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: example\r\n\r\n";
}
std::string with_fields(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: example\r\n" + fields + "\r\n";
}

}  // namespace

TEST_CASE("exchange: publish shows the parts of the head") {
  const Scanned scanned("POST /a%20b/c?x=1 HTTP/1.0\r\nHost: example:80\r\nContent-Length: 0\r\n\r\n");
  const auto& view = scanned.exchange.view;
  CHECK(view.method_text.view() == "POST");
  CHECK(view.target.view() == "/a%20b/c?x=1");
  CHECK(view.path.view() == "/a b/c");
  CHECK(view.query.view() == "x=1");
  CHECK(view.host.view() == "example:80");
  CHECK(view.minor_version == 0);
  CHECK(view.route == -1);
  CHECK(view.body.view().empty());
}

TEST_CASE("exchange: own_head keeps every slice right when the connection's buffer goes") {
  Scanned scanned("GET /users/seven/x?a=b HTTP/1.1\r\nHost: example\r\nX-Name: value\r\nCookie: c=d\r\n\r\n");
  Exchange& exchange = scanned.exchange;
  perigee::http::Router router;
  REQUIRE(router.add("GET", "/users/{id}/{rest*}", 0, "here"));
  REQUIRE(router.match(exchange.head.method, "GET", exchange.head.path(), exchange.parameters).route == 0);
  exchange.own_head();
  scanned.lose_the_buffer();
  exchange.own_head();
  CHECK(exchange.view.method_text.view() == "GET");
  CHECK(exchange.view.target.view() == "/users/seven/x?a=b");
  CHECK(exchange.view.path.view() == "/users/seven/x");
  CHECK(exchange.view.query.view() == "a=b");
  CHECK(exchange.view.host.view() == "example");
  CHECK(exchange.parameters.values[0].text.view() == "seven");
  CHECK(exchange.parameters.values[1].text.view() == "x");
  CHECK(exchange.head.path() == "/users/seven/x");
  const std::uint16_t name = exchange.head.find("x-name");
  REQUIRE(name != perigee::http::RequestHead::kAbsent);
  CHECK(exchange.head.text(exchange.head.fields[name].value) == "value");
  CHECK(scanned.pairs(exchange.read_query()) == std::vector<std::string>{"a=b"});
  CHECK(scanned.pairs(exchange.read_cookies()) == std::vector<std::string>{"c=d"});
}

TEST_CASE("exchange: own_head leaves a path that was decoded, and its parameters, where they are") {
  Scanned scanned(with_target("/users/s%C3%A9ven?a=b"));
  Exchange& exchange = scanned.exchange;
  perigee::http::Router router;
  REQUIRE(router.add("GET", "/users/{id}", 0, "here"));
  REQUIRE(router.match(exchange.head.method, "GET", exchange.head.path(), exchange.parameters).route == 0);
  exchange.own_head();
  scanned.lose_the_buffer();
  CHECK(exchange.view.path.view() == "/users/s\xc3\xa9ven");
  CHECK(exchange.parameters.values[0].text.view() == "s\xc3\xa9ven");
  CHECK(exchange.view.target.view() == "/users/s%C3%A9ven?a=b");
  CHECK(exchange.view.query.view() == "a=b");
}

TEST_CASE("exchange: read_query decodes names and values") {
  const auto [query, pairs] = GENERATE(table<std::string, std::vector<std::string>>({
      {"", {}},
      {"?", {}},
      {"?a=b", {"a=b"}},
      {"?a", {"a="}},
      {"?=b", {"=b"}},
      {"?a=b&a=c", {"a=b", "a=c"}},
      {"?&&a=1&&b=2&&", {"a=1", "b=2"}},
      {"?a=b=c", {"a=b=c"}},
      {"?x+y=p%2Bq", {"x y=p+q"}},
      {"?a=%zz&b=%4", {"a=%zz", "b=%4"}},
      {"?plain=1&d%C3%A9j%C3%A0=vu&last=%20&z=+", {"plain=1", "d\xc3\xa9j\xc3\xa0=vu", "last= ", "z= "}},
  }));
  Scanned scanned(with_target("/" + query));
  CHECK(scanned.pairs(scanned.exchange.read_query()) == pairs);
}

TEST_CASE("exchange: read_query and read_cookies hold up to kMaxPairs, and say so of more") {
  std::string text = "0=v";
  std::string cookies = "0=v";
  for (std::size_t count = 1; count <= Exchange::kMaxPairs + 2; ++count) {
    Scanned scanned("GET /?" + text + " HTTP/1.1\r\nHost: h\r\nCookie: " + cookies + "\r\n\r\n");
    const std::int32_t expected = count <= Exchange::kMaxPairs ? static_cast<std::int32_t>(count) : -1;
    CHECK(scanned.exchange.read_query() == expected);
    CHECK(scanned.exchange.read_cookies() == expected);
    text += "&" + std::to_string(count) + "=v";
    cookies += "; " + std::to_string(count) + "=v";
  }
}

TEST_CASE("exchange: read_query decodes long pairs without moving the ones before") {
  const std::string value(3000, 'v');
  Scanned scanned(with_target("/?%61=" + value + "&%62=" + value + "+&c=%63"));
  CHECK(scanned.pairs(scanned.exchange.read_query()) ==
        std::vector<std::string>{"a=" + value, "b=" + value + " ", "c=c"});
}

TEST_CASE("exchange: read_cookies takes one field apart, and leaves several to the table") {
  const auto [fields, count, pairs] = GENERATE(table<std::string, std::int32_t, std::vector<std::string>>({
      {"", 0, {}},
      {"Cookie: a=b\r\n", 1, {"a=b"}},
      {"cookie: a=b; c=\"d\"\r\n", 2, {"a=b", "c=d"}},
      {"Cookie: nonsense; a=b\r\n", 1, {"a=b"}},
      {"Cookie: a=b\r\nCookie: c=d\r\n", -1, {}},
  }));
  Scanned scanned(with_fields(fields));
  const std::int32_t found = scanned.exchange.read_cookies();
  CHECK(found == count);
  CHECK(scanned.pairs(found) == pairs);
}

TEST_CASE("exchange: after a reset nothing of the last request is left") {
  Scanned scanned(with_target("/?a=b"));
  Exchange& exchange = scanned.exchange;
  exchange.body.assign(1'000'000, 'b');
  exchange.answer.status = 404;
  exchange.answer.kind = perigee::script::Answer::Kind::kStream;
  exchange.answer.fields.append("X: y\r\n");
  exchange.answer.cookies = "Set-Cookie: a=b\r\n";
  exchange.answer.content_type = "text/html";
  exchange.answer.body = "body";
  exchange.bytes_sent = 7;
  exchange.own_head();
  exchange.reset();
  CHECK(exchange.body.empty());
  CHECK(exchange.answer.status == 200);
  CHECK(exchange.answer.kind == perigee::script::Answer::Kind::kWhole);
  CHECK(exchange.answer.fields.empty());
  CHECK(exchange.answer.cookies.empty());
  CHECK(exchange.answer.content_type.empty());
  CHECK(exchange.answer.body.empty());
  CHECK(exchange.bytes_sent == 0);
  CHECK(exchange.task == nullptr);
  CHECK(exchange.parameters.count == 0);
  const std::string next = with_target("/next");
  REQUIRE(exchange.scanner.scan(next.data(), next.size(), {}, exchange.head) ==
          perigee::http::HeadScanner::Verdict::kComplete);
  exchange.publish();
  CHECK(exchange.view.path.view() == "/next");
  CHECK(exchange.read_query() == 0);
}

TEST_CASE("exchange: a large body's memory is given back, and all of it where the pool has enough") {
  Exchange exchange;
  exchange.body.assign(1'000'000, 'b');
  exchange.shed(false);
  CHECK(exchange.body.capacity() <= std::size_t{64} * 1024);
  exchange.body.assign(1000, 'b');
  exchange.shed(false);
  CHECK(exchange.body.capacity() >= 1000);
  exchange.shed(true);
  CHECK(exchange.body.capacity() < 100);
}
