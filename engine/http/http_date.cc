#include "http/http_date.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace perigee::http {
namespace {

struct Moment {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kWholeDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                        "Friday", "Saturday", "Sunday"};

// Reads a text by a form: 'D' a day's name, 'W' a whole one, 'M' a month's, 'Y' four digits of a year, 'y' two of one,
// 'd' 'h' 'm' 's' two digits, 'e' a day whose first digit may be a space, 'Z' an M; anything else stands for itself.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool matches(std::string_view form) {
    for (const char letter : form) {
      if (!take(letter)) {
        return false;
      }
    }
    return rest_.empty();
  }

  Moment moment;

 private:
  [[nodiscard]] bool take(char letter) {
    switch (letter) {
      case 'D':
        return name(kDays) >= 0;
      case 'W':
        return name(kWholeDays) >= 0;
      case 'M':
        moment.month = name(kMonths) + 1;
        return moment.month > 0;
      case 'Y':
        return number(4, moment.year);
      case 'y':
        return number(2, moment.year);
      case 'd':
        return number(2, moment.day);
      case 'e':
        if (rest_.starts_with(' ')) {
          rest_.remove_prefix(1);
          return number(1, moment.day);
        }
        return number(2, moment.day);
      case 'h':
        return number(2, moment.hour);
      case 'm':
        return number(2, moment.minute);
      case 's':
        return number(2, moment.second);
      case 'Z':
        return literal('M');
      default:
        return literal(letter);
    }
  }

  [[nodiscard]] bool literal(char letter) {
    if (!rest_.starts_with(letter)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  template <std::size_t kCount>
  [[nodiscard]] int name(const std::array<std::string_view, kCount>& names) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (rest_.starts_with(names[i])) {
        rest_.remove_prefix(names[i].size());
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  [[nodiscard]] bool number(std::size_t digits, int& value) {
    if (rest_.size() < digits) {
      return false;
    }
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char digit = rest_[i];
      if (digit < '0' || digit > '9') {
        return false;
      }
      value = value * 10 + (digit - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }

  std::string_view rest_;
};

bool leaps(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool exists(const Moment& at) {
  static constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int length = kLengths[static_cast<std::size_t>(at.month - 1)] + (at.month == 2 && leaps(at.year) ? 1 : 0);
  return at.day >= 1 && at.day <= length && at.hour < 24 && at.minute < 60 && at.second <= 60;
}

// RFC 9110: a date that seems more than fifty years ahead is the latest one past with these digits.
int century_of(int year, std::time_t now) {
  std::tm today{};
  gmtime_r(&now, &today);
  const int current = today.tm_year + 1900;
  const int whole = current - current % 100 + year;
  return whole > current + 50 ? whole - 100 : whole;
}

}  // namespace

std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now) {
  Reader fixed(text);
  Reader old(text);
  Reader asctime(text);
  Moment at;
  if (fixed.matches("D, d M Y h:m:s GZT")) {
    at = fixed.moment;
  } else if (old.matches("W, d-M-y h:m:s GZT")) {
    at = old.moment;
    at.year = century_of(at.year, now);
  } else if (asctime.matches("D M e h:m:s Y")) {
    at = asctime.moment;
  } else {
    return std::nullopt;
  }
  if (!exists(at)) {
    return std::nullopt;
  }
  std::tm parts{};
  parts.tm_year = at.year - 1900;
  parts.tm_mon = at.month - 1;
  parts.tm_mday = at.day;
  parts.tm_hour = at.hour;
  parts.tm_min = at.minute;
  parts.tm_sec = at.second;
  return timegm(&parts);
}

}  // namespace perigee::http
