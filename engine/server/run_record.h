#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "script/test_desk.h"

namespace perigee::server {

/// What a run of tests or benchmarks has come to so far, in memory that two processes share: the one that runs them
/// writes, the one that watches over it reads when that has ended, whatever ended it. Where no process watches it keeps
/// nothing. Writing makes no system call. Any thread.
class RunRecord {
 public:
  using Outcome = script::TestDesk::Outcome;

  /// Something that was noted.
  struct Entry {
    enum class Kind : char {
      kBegun = 'b',  ///< of a test: name and place; "" for what a file does between its tests
      kEnded = 'e',  ///< of a test: all of it
      kDone = 'd'    ///< the file has no more
    };
    Kind kind = Kind::kBegun;
    std::string file;
    Outcome outcome;
  };

  /// One that keeps nothing.
  RunRecord() = default;
  /// One with memory, which processes that are forked from here on share.
  [[nodiscard]] static Result<std::unique_ptr<RunRecord>> make();
  ~RunRecord();
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;

  // --- the process that runs tests ---

  void begin(std::string_view file, std::string_view name, std::string_view place);
  void end(std::string_view file, const Outcome& outcome);
  void file_done(std::string_view file);
  /// Nothing more comes: the run has ended as it should.
  void close() { head_->closed.store(true, std::memory_order_release); }

  // --- the other one ---

  [[nodiscard]] bool closed() const { return head_->closed.load(std::memory_order_acquire); }
  /// All that was noted, in order; what did not fit is missing.
  [[nodiscard]] std::vector<Entry> entries() const;
  /// What was running at the end: of each file that was not done, the test that had begun and not ended; without a name
  /// where none had.
  [[nodiscard]] std::vector<Entry> unfinished() const;

 private:
  struct Head {
    std::atomic<std::size_t> used;
    std::atomic<bool> closed;
  };
  static constexpr std::size_t kSize = std::size_t{64} << 20;     // bytes; taken from the system as they are written
  static constexpr std::size_t kLongest = std::size_t{32} << 10;  // bytes of a text that are kept

  explicit RunRecord(void* memory) : head_(new (memory) Head{}), room_(kSize - sizeof(Head)) {}
  [[nodiscard]] char* text() const { return reinterpret_cast<char*>(head_ + 1); }
  void add(Entry::Kind kind, std::string_view file, const Outcome& outcome);

  Head alone_{};  // where no memory is shared
  Head* const head_ = &alone_;
  const std::size_t room_ = 0;  // bytes behind the head
  std::mutex mutex_;            // of those who write
};

}  // namespace perigee::server
