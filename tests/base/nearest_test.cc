#include "base/nearest.h"

#include <array>
#include <catch2/catch.hpp>

using perigee::nearest;

TEST_CASE("nearest: a slip of the fingers finds the word that was meant, and no other") {
  static constexpr std::array<std::string_view, 5> kWords = {"listen", "workers", "accept", "pin", "user"};
  const auto [word, expected] = GENERATE(table<std::string_view, std::string_view>({
      {"listen", "listen"},
      {"lisen", "listen"},    // left out
      {"listten", "listen"},  // put in
      {"lissen", "listen"},   // changed
      {"litsen", "listen"},   // swapped
      {"pni", "pin"},         // swapped, in a word of three
      {"worker", "workers"},
      {"wrkrs", ""},  // two slips in five letters
      {"drain", ""},
      {"p", ""},
      {"", ""},
  }));
  CAPTURE(word);
  CHECK(nearest(word, kWords) == expected);
  CHECK(nearest(word, {}).empty());
}
