#include "script/typed_values.h"

#include "vm_fixture.h"

using perigee::http::PathType;
using perigee::script::all_values;
using perigee::script::excerpt;
using perigee::script::Exchange;
using perigee::script::find_value;
using perigee::script::utf8_characters;
using perigee::script::ValueSource;
using perigee::script::ValueVerdict;

namespace {

// A request whose values are asked for.
struct Asked {
  explicit Asked(std::string text) : bytes(std::move(text)) {
    REQUIRE(exchange.scanner.scan(bytes.data(), bytes.size(), {}, exchange.head) ==
            perigee::http::HeadScanner::Verdict::kComplete);
    exchange.body = bytes.substr(exchange.head.size);
    exchange.publish();
  }
  // "absent", "refused" or the value, a number behind "=".
  std::string find(ValueSource source, std::string_view name, PathType type = PathType::kString) {
    switch (find_value(exchange, source, name, type)) {
      case ValueVerdict::kAbsent:
        return "absent";
      case ValueVerdict::kRefused:
        return "refused";
      case ValueVerdict::kTaken:
        break;
    }
    const std::string text(exchange.view.found.view());
    return type == PathType::kString ? text : text + "=" + std::to_string(static_cast<int>(exchange.view.number));
  }
  std::string all(ValueSource source, std::string_view name) {
    std::string joined;
    for (const std::string_view value : all_values(exchange, source, name)) {
      joined += "[" + std::string(value) + "]";
    }
    return joined;
  }

  std::string bytes;
  Exchange exchange;
};

}  // namespace

TEST_CASE("typed values: the first value of a query's name, decoded") {
  Asked asked(get("/?a=1&b=x+y%21&a=2&c&%64=e&bad=%ff&n=7x"));
  CHECK(asked.find(ValueSource::kQuery, "a") == "1");
  CHECK(asked.find(ValueSource::kQuery, "b") == "x y!");
  CHECK(asked.find(ValueSource::kQuery, "c").empty());
  CHECK(asked.find(ValueSource::kQuery, "d") == "e");
  CHECK(asked.find(ValueSource::kQuery, "%64") == "absent");
  CHECK(asked.find(ValueSource::kQuery, "e") == "absent");
  CHECK(asked.find(ValueSource::kQuery, "bad") == "refused");
  CHECK(asked.find(ValueSource::kQuery, "a", PathType::kInteger) == "1=1");
  CHECK(asked.find(ValueSource::kQuery, "n", PathType::kInteger) == "refused");
  CHECK(asked.exchange.view.found.view() == "7x");
  CHECK(asked.all(ValueSource::kQuery, "a") == "[1][2]");
}

TEST_CASE("typed values: headers in any case, cookies over several fields") {
  Asked asked(get("/", "X-N: 5\r\nx-n: 6\r\nAccept: text/html\r\nCookie: a=1; b=2\r\nCookie: c=3; a=4\r\n"));
  CHECK(asked.find(ValueSource::kHeader, "x-n", PathType::kNumber) == "5=5");
  CHECK(asked.find(ValueSource::kHeader, "accept") == "text/html");
  CHECK(asked.find(ValueSource::kHeader, "x-none") == "absent");
  CHECK(asked.find(ValueSource::kCookie, "c", PathType::kInteger) == "3=3");
  CHECK(asked.find(ValueSource::kCookie, "d") == "absent");
  CHECK(asked.all(ValueSource::kHeader, "X-N") == "[5][6]");
  CHECK(asked.all(ValueSource::kCookie, "a") == "[1][4]");
}

TEST_CASE("typed values: a form's are found all at once") {
  Asked asked("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\na=1&b&a=%32");
  CHECK(asked.all(ValueSource::kForm, "a") == "[1][%32]");
  CHECK(asked.find(ValueSource::kForm, "a") == "absent");
}

TEST_CASE("typed values: characters are counted, what is no UTF-8 is none") {
  CHECK(utf8_characters("") == 0);
  CHECK(utf8_characters("abc") == 3);
  CHECK(utf8_characters("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == 4);
  for (const char* bad : {"\x80", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    CHECK(utf8_characters(bad) == -1);
  }
}

TEST_CASE("typed values: an excerpt is UTF-8 and cut between characters") {
  CHECK(excerpt("short", 64) == "short");
  CHECK(excerpt(std::string(100, 'x'), 64) == std::string(64, 'x'));
  CHECK(excerpt(std::string(63, 'x') + "\xc3\xa4", 64) == std::string(63, 'x'));
  CHECK(excerpt("a\xff"
                "b",
                64) ==
        "a\xef\xbf\xbd"
        "b");
}
