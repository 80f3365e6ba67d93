#include "base/insist.h"

#include <catch2/catch.hpp>

TEST_CASE("insist: work is done again until there is memory for it") {
  int attempts = 0;
  CHECK(perigee::insist([&] {
    if (++attempts < 3) {
      throw std::bad_alloc();
    }
  }));
  CHECK(attempts == 3);
}
