#include "script/json_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace perigee::script {
namespace {

constexpr double kExactLimit = 9007199254740992.0;  // 2^53

// "00", "01" ... "99".
constexpr std::array<char, 200> two_digits() {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}

constexpr auto kTwoDigits = two_digits();

// The digits of a number within 2^53, at the end of a place of their own.
class Digits {
 public:
  explicit Digits(std::uint64_t number) {
    for (; number >= 100; number /= 100) {
      put(number % 100);
    }
    put(number);
    first_ += number < 10 ? 1 : 0;
  }

  [[nodiscard]] std::size_t count() const { return kMost - first_; }
  // From the one at `from` on: always kMost bytes, whatever their number.
  void copy_to(char* place, std::size_t from) const { std::memcpy(place, digits_ + first_ + from, kMost); }

 private:
  static constexpr std::size_t kMost = 16;

  void put(std::uint64_t pair) {
    first_ -= 2;
    std::memcpy(digits_ + first_, &kTwoDigits[2 * pair], 2);
  }

  std::size_t first_ = kMost;
  char digits_[2 * kMost] = {};
};

char* write_whole(char* to, std::int64_t value) {
  *to = '-';
  to += value < 0 ? 1 : 0;
  const Digits digits(static_cast<std::uint64_t>(value < 0 ? -value : value));
  digits.copy_to(to, 0);
  return to + digits.count();
}

// A number as `whole` over ten to the power of `decimals`.
char* write_decimal(char* to, std::uint64_t whole, std::size_t decimals) {
  const Digits digits(whole);
  if (digits.count() > decimals) {
    const std::size_t before = digits.count() - decimals;
    digits.copy_to(to, 0);
    digits.copy_to(to + before + 1, before);
    to[before] = '.';
    return to + digits.count() + 1;
  }
  std::memcpy(to, "0.000000", 8);
  digits.copy_to(to + 2 + decimals - digits.count(), 0);
  return to + 2 + decimals;
}

// A number with few decimals; null for others. No two decimals of 15 digits read back the same, so one that reads back
// as the value is the shortest, if it ends with no zero.
char* write_short(char* to, double value) {
  constexpr double kTens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  constexpr double kLeast = 1e-3;  // below it an exponent may be shorter
  constexpr double kMost = 1e15;
  const double size = std::fabs(value);
  for (std::size_t decimals = 1; size >= kLeast && decimals < std::size(kTens); ++decimals) {
    const double scaled = size * kTens[decimals] + 0.5;
    if (scaled >= kMost) {
      break;
    }
    // Both are exact in a double, so that the division rounds as reading the decimal does.
    const auto whole = static_cast<std::int64_t>(scaled);
    if (static_cast<double>(whole) / kTens[decimals] == size) {
      *to = '-';
      return write_decimal(to + (value < 0 ? 1 : 0), static_cast<std::uint64_t>(whole), decimals);
    }
  }
  return nullptr;
}

}  // namespace

char* write_json_number(char* to, double value) {
  if (value >= -kExactLimit && value <= kExactLimit) {
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value) {
      return write_whole(to, whole);
    }
    if (char* const end = write_short(to, value); end != nullptr) {
      return end;
    }
  } else if (!std::isfinite(value)) {
    return nullptr;
  }
  return std::to_chars(to, to + kMostDigits, value).ptr;
}

}  // namespace perigee::script
