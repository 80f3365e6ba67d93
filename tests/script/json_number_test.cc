#include "script/json_number.h"

#include <bit>
#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

using perigee::script::kMostDigits;
using perigee::script::write_json_number;

namespace {

std::string written(double value) {
  char place[kMostDigits + 1];
  place[kMostDigits] = '#';
  const char* const end = write_json_number(place, value);
  CHECK(place[kMostDigits] == '#');
  return end != nullptr ? std::string(place, static_cast<std::size_t>(end - place)) : "none";
}

// What the C++ library takes for the shortest.
std::string shortest(double value) {
  char place[64];
  return {place, std::to_chars(place, place + sizeof place, value).ptr};
}

}  // namespace

TEST_CASE("json number: integral values within 2^53 are written as integers") {
  std::int64_t value = 1;
  for (int digits = 1; digits <= 15; ++digits, value *= 10) {
    for (const std::int64_t near : {value - 1, value, value + 1, value * 9, -value, 1 - value}) {
      CHECK(written(static_cast<double>(near)) == std::to_string(near));
    }
  }
  CHECK(written(9007199254740992.0) == "9007199254740992");
  CHECK(written(-9007199254740992.0) == "-9007199254740992");
  CHECK(written(-0.0) == "0");
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const auto any = static_cast<std::int64_t>(random() >> (11 + random() % 53)) * (i % 2 == 0 ? 1 : -1);
    REQUIRE(written(static_cast<double>(any)) == std::to_string(any));
  }
}

TEST_CASE("json number: decimals of every length are the shortest that read back") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 300000; ++i) {
    const double whole = static_cast<double>(random() >> (11 + random() % 53));
    const double value = whole / std::pow(10, static_cast<double>(random() % 20)) * (i % 2 == 0 ? 1 : -1);
    if (value != std::floor(value)) {
      REQUIRE(written(value) == shortest(value));
      REQUIRE(written(std::nextafter(value, 1e300)) == shortest(std::nextafter(value, 1e300)));
    }
  }
}

TEST_CASE("json number: numbers of any bits are the shortest that read back, and what JSON lacks is none") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 300000; ++i) {
    const auto value = std::bit_cast<double>(random());
    const bool whole = std::fabs(value) <= 9007199254740992.0 && value == std::floor(value);
    REQUIRE((whole || written(value) == (std::isfinite(value) ? shortest(value) : "none")));
  }
  CHECK(written(std::numeric_limits<double>::infinity()) == "none");
  CHECK(written(-std::numeric_limits<double>::infinity()) == "none");
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "none");
}

TEST_CASE("json number: what a decimal looks like") {
  const auto [value, text] = GENERATE(table<double, std::string>({
      {0.5, "0.5"},
      {-0.05, "-0.05"},
      {1.15, "1.15"},
      {0.001, "0.001"},
      {0.0001, "1e-04"},
      {0.00012, "0.00012"},
      {99.99, "99.99"},
      {123456.789012, "123456.789012"},
      {99999999999999.9, "99999999999999.9"},
      {999999999999999.9, "999999999999999.9"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1.0 / 3, "0.3333333333333333"},
      {4503599627370495.5, "4503599627370495.5"},
      {1e300, "1e+300"},
  }));
  CHECK(written(value) == text);
}
