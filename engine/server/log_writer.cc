#include "server/log_writer.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/new_thread.h"
#include "base/signals_blocked.h"

namespace perigee::server {
namespace {

constexpr std::size_t kMostSpares = 16;

std::uint64_t lines_in(const std::string& text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// To the error log, if there is a message and memory for it; the counters keep its numbers in any case.
template <typename Message>
void report(LogLevel level, Message message) noexcept {
  try {
    if (const std::string text = message(); !text.empty()) {
      log_event(level, text);
    }
  } catch (const std::bad_alloc&) {
    return;
  }
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::open(const std::string& target, Limits limits) {
  LogFile file = TRY(LogFile::open(target));
  std::unique_ptr<LogWriter> writer(new LogWriter(std::move(file), limits));
  TRY(writer->start());
  return writer;
}

LogWriter::LogWriter(LogFile file, Limits limits)
    : limits_(limits), deadline_(std::numeric_limits<Milliseconds>::max()), file_(std::move(file)) {
  spares_.reserve(kMostSpares);
}

Result<> LogWriter::start() {
  const SignalsBlocked blocked;
  thread_ = TRY(new_thread([this] { run(); }));
  return {};
}

void LogWriter::submit(std::string& lines) noexcept {
  if (lines.empty()) {
    return;
  }
  try {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queued_bytes_ + lines.size() <= limits_.queued_bytes) {
      queue_.emplace_back();
      queue_.back().swap(lines);
      queued_bytes_ += queue_.back().size();
      if (!spares_.empty()) {
        lines.swap(spares_.back());
        spares_.pop_back();
      }
    }
  } catch (const std::bad_alloc&) {
    // The lines are still here, and dropped below.
  }
  count_dropped(lines_in(lines));
  lines.clear();
  wake_.notify_one();
}

void LogWriter::reopen() {
  const std::lock_guard lock(mutex_);
  reopen_ = true;
  wake_.notify_one();
}

void LogWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    deadline_.store(monotonic_ms() + limits_.stop_patience, std::memory_order_relaxed);
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void LogWriter::run() {
  Buffers batch;
  while (take_turn(batch)) {
    for (std::string& lines : batch) {
      write(lines);
    }
    batch.clear();
    report_drops();
  }
}

// Waits for something to do; false when there will be nothing any more.
bool LogWriter::take_turn(Buffers& batch) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !queue_.empty() || reopen_ || stopping_; });
  if (queue_.empty() && !reopen_) {
    return false;
  }
  batch.swap(queue_);
  if (std::exchange(reopen_, false)) {
    lock.unlock();
    reopen_file();
  }
  return true;
}

void LogWriter::write(std::string& lines) {
  report_outcome(file_.write(lines, deadline_));
  const std::lock_guard lock(mutex_);
  queued_bytes_ -= lines.size();
  lines.clear();
  if (spares_.size() < kMostSpares) {
    spares_.emplace_back().swap(lines);  // has room, by reserve()
  }
}

void LogWriter::reopen_file() {
  report(LogLevel::kError, [this] {
    const Result<> reopened = file_.reopen();
    return reopened ? std::string() : reopened.error().message + "; going on with the file that is open";
  });
}

// Says when writing begins to fail and when it works again, not at every buffer between.
void LogWriter::report_outcome(const LogFile::Outcome& outcome) {
  const std::uint64_t failed = failed_.fetch_add(outcome.lost_lines, std::memory_order_relaxed) + outcome.lost_lines;
  if (std::exchange(last_error_, outcome.error) == outcome.error) {
    return;
  }
  if (outcome.error != 0) {
    report(LogLevel::kError, [this, &outcome] {
      return "cannot write to the log '" + file_.target() + "': " + std::strerror(outcome.error) +
             "; its lines are lost until that ends";
    });
  } else {
    report(LogLevel::kWarn, [this, failed] {
      return "the log '" + file_.target() + "' is written again; lines lost so far: " + std::to_string(failed);
    });
  }
}

void LogWriter::report_drops() {
  const std::uint64_t dropped = dropped_lines();
  const std::uint64_t since = dropped - std::exchange(reported_drops_, dropped);
  if (since != 0) {
    report(LogLevel::kWarn, [this, since] {
      return "the log '" + file_.target() + "' was too slow; lines dropped: " + std::to_string(since);
    });
  }
}

}  // namespace perigee::server
