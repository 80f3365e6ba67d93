#pragma once

namespace perigee::server {

/// SIGINT and SIGTERM while tests or benchmarks run: noted, so that what has run by then can be told. What a test
/// starts takes them as ever. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// The signal that came; 0 while none has. Any thread.
  [[nodiscard]] static int caught();

  /// The process's exit code after that signal, as shells count it.
  [[nodiscard]] static int exit_code(int signal) { return 128 + signal; }
};

}  // namespace perigee::server
