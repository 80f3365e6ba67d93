#include "base/counter.h"

#include <catch2/catch.hpp>
#include <thread>

TEST_CASE("counter: a reader on another thread sees it only grow, and in the end all of it") {
  constexpr std::uint64_t kMany = 200'000;
  perigee::Counter counter;
  std::thread writer([&counter] {
    for (std::uint64_t i = 0; i < kMany; ++i) {
      counter.add();
    }
  });
  bool grew = true;
  std::uint64_t last = 0;
  while (last < kMany) {
    const std::uint64_t now = counter.value();
    grew = grew && now >= last;
    last = now;
  }
  writer.join();
  CHECK(grew);
  counter.add(5);
  CHECK(counter.value() == kMany + 5);
}
