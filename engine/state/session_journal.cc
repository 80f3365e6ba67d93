#include "state/session_journal.h"

#include <chrono>
#include <new>
#include <utility>

#include "base/insist.h"
#include "base/log.h"
#include "base/new_thread.h"

namespace perigee::state {
namespace {

constexpr std::chrono::seconds kPause(1);  // between two attempts that nobody waits for

}  // namespace

SessionJournal::SessionJournal(Settings settings, MemorySessions& sessions, std::unique_ptr<SessionFile> file)
    : settings_(std::move(settings)), sessions_(sessions), file_(std::move(file)) {}

Result<std::unique_ptr<SessionJournal>> SessionJournal::open(Settings settings, MemorySessions& sessions,
                                                             Milliseconds now) {
  auto file = TRY(SessionFile::open(settings.path));
  std::unique_ptr<SessionJournal> journal(new SessionJournal(std::move(settings), sessions, std::move(file)));
  TRY(journal->load(now));
  journal->thread_ = TRY(new_thread([loaded = journal.get()] { loaded->run(); }));
  return journal;
}

Result<> SessionJournal::load(Milliseconds now) {
  sessions_.set_sink(this);
  const Result<> read = file_->read([this, now](const SessionRow& row) {
    if (!sessions_.load(row, now)) {
      SessionRow expired = row;
      expired.data = nullptr;
      (void)put(std::move(expired), {});
    }
  });
  if (!read) {
    sessions_.set_sink(nullptr);
  }
  return read;
}

bool SessionJournal::put(SessionRow row, SessionStore::Waiter waiter) {
  const bool told = waits() && waiter.executor != nullptr;
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    if (told) {
      waiter.executor->post([done = std::move(waiter.done)] { done("the server is stopping"); });
    }
    return told;
  }
  if (told) {
    pending_.waiters.reserve(pending_.waiters.size() + 1);  // so that nothing fails below
  }
  pending_.rows.insert_or_assign(row.id, std::move(row));
  if (told) {
    pending_.waiters.push_back(std::move(waiter));
  }
  changed_.notify_one();
  return told;
}

void SessionJournal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

// Waits for something to write, and then, where nobody waits for it, for more.
void SessionJournal::await_work(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return stopping_ || !pending_.rows.empty(); });
  const auto urgent = [this] { return stopping_ || !pending_.waiters.empty(); };
  if (waits() || failing_) {
    changed_.wait_for(lock, kPause, urgent);
  } else {
    // Half of the window: the other half is for this transaction and the one before it.
    changed_.wait_for(lock, std::chrono::milliseconds(settings_.window / 2), urgent);
  }
}

void SessionJournal::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    await_work(lock);
    Batch batch = std::exchange(pending_, {});
    const bool last = stopping_;
    lock.unlock();
    const bool written = batch.rows.empty() || write(batch);
    lock.lock();
    if (last && (pending_.rows.empty() || !written)) {
      tell(pending_.waiters, "the server is stopping");
      return;
    }
  }
}

// Writes a batch and tells who waits. False: it could not be written.
bool SessionJournal::write(Batch& batch) {
  Result<> written;
  try {
    std::vector<const SessionRow*> rows;
    rows.reserve(batch.rows.size());
    for (const auto& [id, row] : batch.rows) {
      rows.push_back(&row);
    }
    written = file_->write(rows);
  } catch (const std::bad_alloc&) {
    written = fail("out of memory");  // short enough for a string to hold it in place
  }
  say(written);
  if (!written) {
    give_back(batch);
  }
  static const std::string kNothing;
  tell(batch.waiters, written ? kNothing : written.error().message);
  return static_cast<bool>(written);
}

// Undoes what could not be written, or keeps it for another attempt where something newer is not waiting already.
void SessionJournal::give_back(Batch& batch) {
  for (auto& [id, row] : batch.rows) {
    if (waits() && row.data != nullptr && undo(row)) {
      continue;
    }
    try {
      const std::lock_guard lock(mutex_);
      pending_.rows.try_emplace(id, std::move(row));
    } catch (const std::bad_alloc&) {
      log_event(LogLevel::kError, "out of memory: the end of a session is not written");
    }
  }
}

// False: another attempt to write it may succeed.
bool SessionJournal::undo(const SessionRow& row) try {
  const auto kept = file_->find(row.id);
  if (kept) {
    sessions_.undo(row, *kept ? &**kept : nullptr);
  }
  return static_cast<bool>(kept);
} catch (const std::bad_alloc&) {
  return false;
}

// Each change between working and not working is an event.
void SessionJournal::say(const Result<>& written) try {
  const bool failing = !written;
  if (failing != std::exchange(failing_, failing)) {
    log_event(failing ? LogLevel::kError : LogLevel::kInfo,
              failing ? "sessions can't be written: " + written.error().message : "sessions are written again");
  }
} catch (const std::bad_alloc&) {
  return;
}

void SessionJournal::tell(std::vector<SessionStore::Waiter>& waiters, const std::string& error) {
  for (SessionStore::Waiter& waiter : waiters) {
    if (!insist([&] { waiter.executor->post([done = waiter.done, error] { done(error); }); })) {
      log_event(LogLevel::kError, "out of memory: who waits for a session to be written is not told");
    }
  }
  waiters.clear();
}

}  // namespace perigee::state
