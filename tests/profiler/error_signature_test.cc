#include "profiler/error_signature.h"

#include <catch2/catch.hpp>

using perigee::profiler::strip_error;

namespace {

std::string stripped(std::string_view message) {
  std::string out;
  strip_error(message, out);
  return out;
}

}  // namespace

TEST_CASE("error signature: numbers, ids, addresses and quoted text are stripped, the rest stays") {
  struct Case {
    const char* message;
    const char* signature;
  };
  const auto [message, signature] = GENERATE(values<Case>({
      {"", ""},
      {"no such user", "no such user"},
      {"user 42 of 100", "user # of #"},
      {"took 1.25 s", "took # s"},
      {"at 10.0.0.1:5432: refused", "at #: refused"},
      {"at [2001:db8::1]:443", "at [#]:#"},
      {"on 2026-11-22", "on #"},
      {"pointer 0x7ffe12ab and table: 0x41d2c8", "pointer # and table: #"},
      {"id 550e8400-e29b-41d4-a716-446655440000 gone", "id # gone"},
      {"id deadbeef-dead-beef-dead-beefdeadbeef gone", "id # gone"},
      {"key 5f4dcc3b5aa765d61d8327deb882cf99", "key #"},
      {"token aGVsbG8x2zQ9kLmNoP3", "token #"},
      {"user7 has no item_12", "user# has no item_#"},
      {"no user 'ada' here", "no user '*' here"},
      {"no \"file name.txt\" and `that`", "no \"*\" and `*`"},
      {"we can't find it, and don't try", "we can't find it, and don't try"},
      {"an open 'quote", "an open 'quote"},
      {"empty ''", "empty '*'"},
      {"lua/app.lua:12: attempt to index a nil value", "lua/app.lua:12: attempt to index a nil value"},
      {"app.lua:7: order 7 failed", "app.lua:7: order # failed"},
      {"Lua:7", "Lua:#"},
      {"-5 below", "-# below"},
      {"feed the cafe", "feed the cafe"},
      {"first line 1\nstack traceback: 2", "first line #"},
      {"caf\xc3\xa9 3", "caf\xc3\xa9 #"},
      {"1", "#"},
      {"0x", "#"},
      {"0", "#"},
  }));
  CHECK(stripped(message) == signature);
}

TEST_CASE("error signature: equal but for what varies means equal") {
  CHECK(stripped("timeout after 30 s from 10.1.2.3:80") == stripped("timeout after 7 s from 10.9.8.7:8080"));
  CHECK(stripped("app.lua:3: x") != stripped("app.lua:4: x"));
}

TEST_CASE("error signature: a long message counts up to a bound, whatever is in it") {
  const char* const piece = GENERATE("''", "1 ", "a1", "x", "\"", "\xff", "1.", "0x", "'a' ");
  std::string message;
  while (message.size() < 10'000) {
    message += piece;
  }
  CHECK(stripped(message).size() <= perigee::profiler::kMostSignature * 2);
  CHECK(stripped(message) == stripped(message.substr(0, perigee::profiler::kMostSignature)));
}

TEST_CASE("error signature: words are the same wherever they stand and whatever follows them") {
  const std::string padding(20, ' ');
  for (std::size_t size = 1; size <= 20; ++size) {
    for (int byte = 1; byte < 256; ++byte) {
      const std::string word = std::string(size, 'k') + static_cast<char>(byte);
      const std::string alone = stripped(word);  // too short to be looked at as a whole
      if (stripped(word + padding) != alone + (byte == '\n' || byte == '\r' ? "" : padding)) {
        FAIL("size " << size << ", byte " << byte);
      }
    }
  }
  for (const char* text : {"deadbeef", "deadbeef-dead", "feedcafe_", "cafe9", "x1", "_", "a`b", "A[Z", "a{z", "@at"}) {
    CAPTURE(text);
    CHECK(stripped(text + padding) == stripped(text) + padding);
  }
}
