#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "script/test_desk.h"

namespace perigee::server {

/// Says what comes of benchmarks: figures to standard output, for programs; noise, progress and mistakes to standard
/// error. Any thread.
class BenchPrinter {
 public:
  /// `lanes`: threads that each benchmark runs on, which its line says.
  explicit BenchPrinter(unsigned lanes);

  void progress(std::string_view name, double n, int rounds);
  void result(const script::TestDesk::Measured& measured);
  void failure(const std::string& what, const std::string& message);
  /// Nothing more is shown of a benchmark's progress.
  void end();

  [[nodiscard]] bool failed() const;
  /// Whether no benchmark has come to anything, good or bad.
  [[nodiscard]] bool empty() const;

 private:
  void clear() const;

  const unsigned lanes_;
  const bool terminal_;  // it is a person who reads
  mutable std::mutex mutex_;
  std::set<std::string> said_;  // guarded by mutex_: lanes say the same
  bool failed_ = false;         // guarded by mutex_
  bool empty_ = true;           // likewise
};

}  // namespace perigee::server
