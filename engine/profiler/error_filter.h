#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace perigee::profiler {

/// Which errors are left out: those with one of the patterns in the first line of their message. A pattern is plain
/// text, in which "*" stands for anything. Not changed once it is made.
class ErrorFilter {
 public:
  ErrorFilter() = default;
  explicit ErrorFilter(const std::vector<std::string>& patterns);

  [[nodiscard]] bool matches(std::string_view message) const noexcept;

 private:
  struct Pattern {
    explicit Pattern(const std::string& text);
    [[nodiscard]] bool matches(std::string_view line) const noexcept;
    [[nodiscard]] bool may_be_in(std::string_view text) const noexcept;
    [[nodiscard]] bool wide_may_be_in(std::string_view text) const noexcept;

    std::string first;              ///< what is looked for; empty: every line has it
    std::vector<std::string> rest;  ///< and what must follow it, in this order, with anything between
    std::size_t rare = 0;           ///< where in `first` its rarest byte is
    std::size_t also = 0;           ///< and the next
    std::size_t reach = 0;          ///< the larger of the two
    alignas(16) std::array<char, 16> rare_bytes{};
    alignas(16) std::array<char, 16> also_bytes{};
  };

  static constexpr std::size_t kGroup = 4;

  static constexpr unsigned kAll = (1U << kGroup) - 1;
  static constexpr std::size_t kLeast = 16;  // bytes that are looked at together

  /// Which of a group's patterns may be in a text, a bit each, and how much of it was looked at: the first line, and
  /// some bytes more.
  struct Found {
    unsigned patterns = 0;
    std::size_t looked = 0;
  };

  /// Patterns that are looked for together.
  struct Group {
    [[nodiscard]] Found candidates(std::string_view text) const noexcept;
    [[nodiscard]] Found wide_candidates(std::string_view text) const noexcept;

    alignas(16) std::array<std::array<char, 16>, kGroup> rare{};  ///< the rarest byte of each, sixteen times
    std::size_t begin = 0;                                        ///< of patterns_
    unsigned all = 0;                                             ///< a bit for each pattern
    unsigned always = 0;                                          ///< for those that every line matches
  };

  std::vector<Pattern> patterns_;
  std::vector<Group> groups_;
};

}  // namespace perigee::profiler
