#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "script/test_desk.h"

namespace perigee::server {

/// What a run of tests has come to: a character for each test as it ends, then a summary with what did not go well; in
/// colours where a person reads. Any thread.
class TestReport {
 public:
  using Outcome = script::TestDesk::Outcome;

  /// `in_colours`: by default on a terminal, unless the environment has NO_COLOR or TERM=dumb.
  explicit TestReport(bool in_colours = shows_colours()) : in_colours_(in_colours) {}

  /// Takes a test of `file`, and prints its character.
  void add(const std::string& file, const Outcome& outcome);
  /// The same without the character: that was printed before.
  void keep(const std::string& file, const Outcome& outcome);

  /// Prints the summary: how many, how long, and each failure with its place.
  void print_summary(double seconds, std::int64_t seed);

  /// The results as JUnit's XML, a suite for each file.
  [[nodiscard]] std::string junit(double seconds) const;

  [[nodiscard]] bool failed() const;
  [[nodiscard]] bool empty() const;

 private:
  struct Entry {
    std::string file;
    Outcome outcome;
  };
  [[nodiscard]] static bool shows_colours();
  [[nodiscard]] std::string painted(const std::string& text, std::string_view status) const;
  [[nodiscard]] std::string counted(std::string_view status, const char* one, const char* many) const;
  [[nodiscard]] std::size_t count(std::string_view status) const;

  const bool in_colours_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

}  // namespace perigee::server
