#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "state/memory_sessions.h"
#include "state/session_file.h"

namespace perigee::state {

/// Has the sessions of a store on disk as well: a thread of its own writes what was changed, and what came while it
/// wrote goes together into the next transaction ("group commit").
///
/// With kSync whoever changes a session waits until it is safe; what could not be written is undone in the store, but a
/// session that ended stays so, and is removed from disk when that works again. With kAsync nobody waits: what was
/// written less than `window` before a crash may be lost, and what could not be written is tried again.
class SessionJournal final : public SessionSink {
 public:
  enum class Durability : std::uint8_t { kSync, kAsync };
  struct Settings {
    std::string path;
    Durability durability = Durability::kSync;
    Milliseconds window = 1000;  ///< of kAsync
  };

  /// Opens the file, fills the store with what it holds, is told of all that happens to it from then on, and starts the
  /// thread. REQUIRES: nothing uses the store yet; it outlives this.
  [[nodiscard]] static Result<std::unique_ptr<SessionJournal>> open(Settings settings, MemorySessions& sessions,
                                                                    Milliseconds now);
  ~SessionJournal() override { stop(); }
  SessionJournal(const SessionJournal&) = delete;
  SessionJournal& operator=(const SessionJournal&) = delete;

  bool put(SessionRow row, SessionStore::Waiter waiter) override;
  [[nodiscard]] bool waits() const override { return settings_.durability == Durability::kSync; }

  /// Writes what is left, tells who waits and ends the thread. What is put later is not written.
  void stop();

 private:
  struct Batch {
    std::unordered_map<std::uint64_t, SessionRow> rows;  // by id: the newest of each
    std::vector<SessionStore::Waiter> waiters;
  };

  SessionJournal(Settings settings, MemorySessions& sessions, std::unique_ptr<SessionFile> file);

  [[nodiscard]] Result<> load(Milliseconds now);
  void run();
  void await_work(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool write(Batch& batch);
  void give_back(Batch& batch);
  [[nodiscard]] bool undo(const SessionRow& row);
  void say(const Result<>& written);
  static void tell(std::vector<SessionStore::Waiter>& waiters, const std::string& error);

  Settings settings_;
  MemorySessions& sessions_;
  std::unique_ptr<SessionFile> file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Batch pending_;          // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  bool failing_ = false;   // the last transaction did not succeed
  std::thread thread_;
};

}  // namespace perigee::state
