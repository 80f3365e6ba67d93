#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "server/log_file.h"

namespace perigee::server {

/// Appends the workers' lines to one log from a thread of its own, so that a slow disk or pipe holds up no worker. Made
/// and owned by the main thread, which must let it outlive every AccessLog; its own troubles go to the error log.
///
///   worker: buffer --submit()--> queue --writer thread--> LogFile
///   worker: buffer <--empty, with room--- spares <------/
class LogWriter {
 public:
  struct Limits {
    std::size_t queued_bytes = std::size_t{8} << 20;  ///< given and not yet written; what comes on top is dropped
    Milliseconds stop_patience = 2000;                ///< for a pipe that nobody empties, when stopping
  };

  /// Opens "stdout", "stderr" or a file and starts the thread.
  [[nodiscard]] static Result<std::unique_ptr<LogWriter>> open(const std::string& target, Limits limits);
  [[nodiscard]] static Result<std::unique_ptr<LogWriter>> open(const std::string& target) { return open(target, {}); }

  ~LogWriter() { stop(); }
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Takes whole lines and leaves `lines` empty; if the queue is full, or after stop(), they are dropped and counted.
  /// Never waits for the file. Any thread.
  void submit(std::string& lines) noexcept;

  /// Counts lines that could not even be formatted. Any thread.
  void count_dropped(std::uint64_t lines) noexcept { dropped_.fetch_add(lines, std::memory_order_relaxed); }

  /// Opens the path anew; what is submitted afterwards goes to the new file. Any thread.
  void reopen();

  /// Writes all that was submitted and ends the thread. Main thread; a second call does nothing.
  void stop();

  /// Lines dropped because the queue was full. Any thread.
  [[nodiscard]] std::uint64_t dropped_lines() const { return dropped_.load(std::memory_order_relaxed); }

  /// Lines lost to write errors. Any thread.
  [[nodiscard]] std::uint64_t failed_lines() const { return failed_.load(std::memory_order_relaxed); }

 private:
  using Buffers = std::vector<std::string>;

  LogWriter(LogFile file, Limits limits);
  [[nodiscard]] Result<> start();
  void run();
  [[nodiscard]] bool take_turn(Buffers& batch);
  void write(std::string& lines);
  void reopen_file();
  void report_outcome(const LogFile::Outcome& outcome);
  void report_drops();

  const Limits limits_;

  std::mutex mutex_;
  std::condition_variable wake_;
  Buffers queue_;   // under mutex_, as the next four
  Buffers spares_;  // empty, with the room of buffers that were written
  std::size_t queued_bytes_ = 0;
  bool reopen_ = false;
  bool stopping_ = false;

  std::atomic<Milliseconds> deadline_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failed_{0};

  // The writer thread's own.
  LogFile file_;
  int last_error_ = 0;
  std::uint64_t reported_drops_ = 0;

  std::thread thread_;
};

}  // namespace perigee::server
