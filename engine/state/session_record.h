#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/timer_wheel.h"
#include "state/linear_buckets.h"
#include "state/session_store.h"
#include "state/session_token.h"
#include "state/session_users.h"

namespace perigee::state {

/// A session as memory keeps it. All but its id is guarded by the lock of its part.
struct SessionRecord final : Session, BucketLink<SessionRecord> {
  struct Watch {
    std::uint64_t number;
    Executor* executor;
    std::function<void()> ended;
  };
  /// Told when the timer of a record fires.
  class Owner {
   public:
    virtual void due(SessionRecord& record) = 0;

   protected:
    ~Owner() = default;
  };

  SessionRecord(std::uint64_t id, Owner& its_owner, std::size_t its_part)
      : Session(id), owner(its_owner), part(its_part), timer(*this) {
    link.session = this;
  }

  void on_timer() { owner.due(*this); }

  Owner& owner;
  const std::size_t part;
  SessionRef self;  ///< while its part has it
  SessionToken::Digest digest;
  UserLink link;
  SessionData data;
  Milliseconds created = 0;
  Milliseconds used = 0;
  Milliseconds saved = 0;     ///< the last use that is on disk, or on its way there
  std::uint64_t version = 0;  ///< another one after each change
  bool alive = true;
  std::unique_ptr<std::vector<Watch>> watches;  ///< null: none
  TimerOf<SessionRecord, &SessionRecord::on_timer> timer;
};

/// A session as it goes to disk and comes from there.
struct SessionRow {
  SessionRef session;  ///< null when it comes from disk
  std::uint64_t version = 0;
  std::uint64_t id = 0;
  SessionToken::Digest digest;
  Milliseconds created = 0;  ///< monotonic
  Milliseconds used = 0;
  SessionData data;  ///< null: it has ended
};

/// Where the rows of changed sessions go. Any thread.
class SessionSink {
 public:
  virtual ~SessionSink() = default;

  /// Takes the newest state of a session. True: the waiter will be told what became of it.
  virtual bool put(SessionRow row, SessionStore::Waiter waiter) = 0;

  /// Whether waiters are told at all.
  [[nodiscard]] virtual bool waits() const = 0;
};

}  // namespace perigee::state
