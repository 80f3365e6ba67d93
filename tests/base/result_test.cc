#include "base/result.h"

#include <catch2/catch.hpp>
#include <memory>

using perigee::fail;
using perigee::Result;

namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) {
    return fail(std::to_string(number) + " is odd");
  }
  return number / 2;
}

Result<> check_positive(int number) {
  if (number <= 0) {
    return fail(std::to_string(number) + " is not positive");
  }
  return {};
}

Result<std::unique_ptr<int>> boxed_quarter_of(int number) {
  TRY(check_positive(number));
  const int half = TRY(half_of(number));
  return std::make_unique<int>(TRY(half_of(half)));
}

}  // namespace

TEST_CASE("result: TRY yields the value, or hands the first error on") {
  const auto [number, message] = GENERATE(table<int, std::string>({
      {8, ""},
      {0, "0 is not positive"},
      {-3, "-3 is not positive"},
      {7, "7 is odd"},
      {6, "3 is odd"},
  }));
  auto result = boxed_quarter_of(number);
  REQUIRE(result.has_value() == message.empty());
  if (result) {
    CHECK(**result == number / 4);
  } else {
    CHECK(result.error().message == message);
  }
}

TEST_CASE("result: value_of moves what can only be moved") {
  const std::unique_ptr<int> box = perigee::value_of(boxed_quarter_of(4));
  CHECK(*box == 1);
}
