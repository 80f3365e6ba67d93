#include "script/lua_pattern.h"

#include <algorithm>
#include <cctype>
#include <lua.hpp>
#include <vector>

namespace perigee::script {
namespace {

/// Goes through a pattern in the order in which LuaJIT matches its items (do_match in lib_string.c).
class PatternWalk {
 public:
  explicit PatternWalk(std::string_view pattern) : rest_(pattern) {}

  [[nodiscard]] std::string_view mistake() {
    std::string_view found;
    while (found.empty() && !rest_.empty()) {
      found = pass_item();
    }
    if (!found.empty()) {
      return found;
    }
    return std::count(open_.begin(), open_.end(), true) > 0 ? "unfinished capture" : "";
  }

 private:
  char take() {
    const char first = rest_.front();
    rest_.remove_prefix(1);
    return first;
  }

  std::string_view pass_item() {
    switch (take()) {
      case '(':
        return open_capture();
      case ')':
        return close_capture();
      case '[':
        return pass_set();
      case '%':
        return pass_escape();
      default:
        return "";
    }
  }

  std::string_view open_capture() {
    if (open_.size() == LUA_MAXCAPTURES) {
      return "too many captures";
    }
    const bool of_position = rest_.starts_with(')');
    if (of_position) {
      take();
    }
    open_.push_back(!of_position);
    return "";
  }

  std::string_view close_capture() {
    const auto last = std::find(open_.rbegin(), open_.rend(), true);
    if (last == open_.rend()) {
      return "invalid pattern capture";
    }
    *last = false;
    return "";
  }

  // Its first letter may be the bracket that else ends it.
  std::string_view pass_set() {
    if (rest_.starts_with('^')) {
      take();
    }
    do {
      if (rest_.empty()) {
        return "malformed pattern (missing ']')";
      }
      if (take() == '%' && !rest_.empty()) {
        take();
      }
    } while (!rest_.starts_with(']'));
    take();
    return "";
  }

  std::string_view pass_escape() {
    if (rest_.empty()) {
      return "malformed pattern (ends with '%')";
    }
    const char letter = take();
    if (letter == 'b') {
      return pass_pair();
    }
    if (letter == 'f') {
      return pass_frontier();
    }
    return std::isdigit(static_cast<unsigned char>(letter)) != 0 ? check_capture(letter) : "";
  }

  std::string_view pass_pair() {
    if (rest_.size() < 2) {
      return "unbalanced pattern";
    }
    rest_.remove_prefix(2);
    return "";
  }

  std::string_view pass_frontier() {
    if (!rest_.starts_with('[')) {
      return "missing '[' after '%f' in pattern";
    }
    take();
    return pass_set();
  }

  [[nodiscard]] std::string_view check_capture(char digit) const {
    const auto index = static_cast<std::size_t>(digit - '0');
    return index == 0 || index > open_.size() || open_[index - 1] ? "invalid capture index" : "";
  }

  std::string_view rest_;
  std::vector<bool> open_;  // by capture: whether its end is still to come
};

}  // namespace

std::string_view pattern_mistake(std::string_view pattern) {
  constexpr std::string_view kSpecial = "^$*+?.([%-";  // without them LuaJIT looks for the text as it is
  pattern = pattern.substr(0, pattern.find('\0'));     // where it ends for LuaJIT
  return pattern.find_first_of(kSpecial) == std::string_view::npos ? "" : PatternWalk(pattern).mistake();
}

}  // namespace perigee::script
