#include "profiler/error_filter.h"

#include <catch2/catch.hpp>

using perigee::profiler::ErrorFilter;

TEST_CASE("error filter: a pattern is found anywhere in the first line") {
  const ErrorFilter filter({"refused", "the client * gone", "*starred*", "z"});
  struct Case {
    const char* message;
    bool matches;
  };
  const auto [message, matches] = GENERATE(values<Case>({
      {"refused", true},
      {"connection refused by the other side, and so on and on", true},
      {"the server refused it in a line that is long enough for sixteen bytes at once", true},
      {"a line that is long enough for sixteen bytes at once and has it last: refused", true},
      {"the client has gone", true},
      {"the client  gone", true},
      {"gone has the client", false},
      {"something starred here", true},
      {"ends with a z", true},
      {"refuse", false},
      {"", false},
      {"another\nrefused", false},
      {"Refused", false},
  }));
  CHECK(filter.matches(message) == matches);
}

TEST_CASE("error filter: none matches nothing, a star everything") {
  CHECK_FALSE(ErrorFilter().matches("x"));
  CHECK_FALSE(ErrorFilter({""}).matches("x"));
  CHECK(ErrorFilter({"*"}).matches("x"));
  CHECK(ErrorFilter({"**"}).matches(""));
}

TEST_CASE("error filter: every place of every length is found") {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at <= 70; ++at) {
      const std::string part = std::string(size, 'a') + "b";
      const std::string message = std::string(at, 'c') + part + std::string(70 - at, 'd');
      const ErrorFilter filter({part});
      if (!filter.matches(message) || filter.matches(std::string(at, 'c') + std::string(size, 'a'))) {
        FAIL("size " << size << " at " << at);
      }
    }
  }
}

TEST_CASE("error filter: what stands behind the first line does not count, wherever that ends") {
  const ErrorFilter filter({"refused", "gone*away"});
  for (std::size_t end = 0; end <= 140; ++end) {
    for (std::size_t at = 0; at <= 140; at += 3) {
      std::string message(160, '.');
      message.replace(at, 7, "refused");
      message[end] = '\n';
      if (filter.matches(message) != (at + 7 <= end)) {
        FAIL("at " << at << ", the line ends at " << end);
      }
    }
  }
  CHECK(filter.matches("gone far away\nat last"));
  CHECK_FALSE(filter.matches("gone far\naway, " + std::string(100, '.')));
}
