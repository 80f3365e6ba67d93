#include "server/bench_printer.h"

#include <unistd.h>

#include <cstdio>

#include "server/bench_results.h"

namespace perigee::server {

BenchPrinter::BenchPrinter(unsigned lanes) : lanes_(lanes), terminal_(isatty(STDERR_FILENO) == 1) {}

void BenchPrinter::progress(std::string_view name, double n, int rounds) {
  const std::lock_guard lock(mutex_);
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%.*s: %.0f, round %d", static_cast<int>(name.size()), name.data(), n, rounds);
  }
}

void BenchPrinter::result(const script::TestDesk::Measured& measured) {
  const std::lock_guard lock(mutex_);
  empty_ = false;
  clear();
  const BenchResult result{measured.name,        measured.n,       measured.ns,     measured.bytes,
                           measured.allocations, measured.fastest, measured.slowest};
  std::fputs(bench_line(result, lanes_).c_str(), stdout);
  std::fflush(stdout);
  std::fputs(bench_noise(result).c_str(), stderr);
}

void BenchPrinter::failure(const std::string& what, const std::string& message) {
  const std::lock_guard lock(mutex_);
  failed_ = true;
  empty_ = false;
  clear();
  if (said_.insert(what + message).second) {
    std::printf("--- FAIL: %s\n    %s\n", what.c_str(), message.c_str());
    std::fflush(stdout);
  }
}

void BenchPrinter::end() {
  const std::lock_guard lock(mutex_);
  clear();
}

bool BenchPrinter::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

bool BenchPrinter::empty() const {
  const std::lock_guard lock(mutex_);
  return empty_;
}

void BenchPrinter::clear() const {
  if (terminal_) {
    std::fputs("\r\x1b[K", stderr);
  }
}

}  // namespace perigee::server
