#include "profiler/stack_walk.h"

#include <array>
#include <catch2/catch.hpp>

using namespace perigee::profiler;

namespace {

// A stack of words that this test lays out itself.
struct FakeStack {
  std::array<std::uintptr_t, 16> words{};

  [[nodiscard]] std::uintptr_t at(std::size_t i) const { return reinterpret_cast<std::uintptr_t>(words.data() + i); }
  // A frame at word i: its caller's frame, and where it returns to.
  void frame(std::size_t i, std::uintptr_t next, std::uintptr_t returns_to) {
    words[i] = next;
    words[i + 1] = returns_to;
  }
  [[nodiscard]] std::size_t walk(std::uintptr_t pc, std::uintptr_t frame, std::span<std::uintptr_t> out) const {
    return walk_stack({pc, frame, at(0)}, at(words.size()), out);
  }
};

}  // namespace

TEST_CASE("stack walk: the chain is followed from the innermost frame to one without a return address") {
  FakeStack stack;
  stack.frame(2, stack.at(6), 0x2000);
  stack.frame(6, stack.at(10), 0x3000);
  stack.frame(10, 0, 0);
  std::array<std::uintptr_t, 8> out{};
  REQUIRE(stack.walk(0x1234, stack.at(2), out) == 3);
  CHECK(out[0] == 0x1234);
  CHECK(out[1] == 0x2000);
  CHECK(out[2] == 0x3000);
}

TEST_CASE("stack walk: it stops where there is no room") {
  FakeStack stack;
  stack.frame(2, stack.at(6), 0x2000);
  stack.frame(6, 0, 0x3000);
  std::array<std::uintptr_t, 2> out{};
  CHECK(stack.walk(0x1234, stack.at(2), out) == 2);
  CHECK(stack.walk(0x1234, stack.at(2), std::span(out).first(0)) == 0);
}

TEST_CASE("stack walk: it never leaves the stack, runs in a circle or reads a word askew") {
  FakeStack stack;
  std::array<std::uintptr_t, 8> out{};
  stack.frame(2, stack.at(2), 0x2000);
  CHECK(stack.walk(0x1234, stack.at(2), out) == 2);
  stack.frame(2, stack.at(0), 0x2000);
  CHECK(stack.walk(0x1234, stack.at(2), out) == 2);
  stack.frame(2, stack.at(6) + 1, 0x2000);
  CHECK(stack.walk(0x1234, stack.at(2), out) == 2);
  stack.frame(2, stack.at(15), 0x2000);
  CHECK(stack.walk(0x1234, stack.at(2), out) == 2);
  CHECK(stack.walk(0x1234, 0, out) == 1);
  CHECK(stack.walk(0x1234, ~std::uintptr_t{7}, out) == 1);
  CHECK(stack.walk(0, 0, out) == 0);
}
