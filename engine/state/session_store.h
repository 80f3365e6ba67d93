#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"

namespace perigee::state {

/// One client's session, the same for whoever holds it and under whatever token it is. It may have ended.
class Session {
 public:
  explicit Session(std::uint64_t id) : id_(id) {}
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Random, unique, and no secret: the session can't be reached by it.
  [[nodiscard]] std::uint64_t id() const { return id_; }

 private:
  friend class SessionRef;
  std::uint64_t id_;
  std::atomic<std::uint32_t> holders_{0};
};

/// Holds a session.
class SessionRef {
 public:
  SessionRef() = default;
  explicit SessionRef(Session* session) : session_(session) { hold(); }
  SessionRef(const SessionRef& other) : session_(other.session_) { hold(); }
  SessionRef(SessionRef&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
  SessionRef& operator=(SessionRef other) noexcept {
    std::swap(session_, other.session_);
    return *this;
  }
  ~SessionRef() { reset(); }

  [[nodiscard]] Session* get() const { return session_; }
  [[nodiscard]] Session* operator->() const { return session_; }
  explicit operator bool() const { return session_ != nullptr; }
  void reset() {
    Session* session = std::exchange(session_, nullptr);
    if (session != nullptr && session->holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete session;
    }
  }

 private:
  void hold() const {
    if (session_ != nullptr) {
      session_->holders_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  Session* session_ = nullptr;
};

/// What a session holds at some time: SessionEntries, never changed.
using SessionData = std::shared_ptr<const std::string>;

/// Where sessions are kept. A session is found by its client's token, of which only the digest is kept, and changed
/// whole: all of a request's changes at once, of two that change one key the later stays. Times are monotonic
/// milliseconds. Any thread; calls throw std::bad_alloc, and have changed nothing then.
class SessionStore {
 public:
  struct Settings {
    Milliseconds idle = 30 * 60 * 1000;           ///< a session ends when it was not used for so long
    Milliseconds absolute = 12 * 60 * 60 * 1000;  ///< and so long after it was made
    std::size_t most = 1'000'000;                 ///< sessions; for one more another goes
    std::size_t size = 64 * 1024;                 ///< bytes of SessionEntries that one may hold
  };

  enum class Outcome : std::uint8_t {
    kDone,
    kWaiting,  ///< done, and its waiter will be told whether it is safe
    kGone,     ///< the session has ended meanwhile: it stays so
    kTooLarge  ///< it would be larger than Settings::size: nothing was changed
  };

  /// Who waits until what was written is safe from a crash. `done` is told "", or why it is not: then it is undone.
  struct Waiter {
    Executor* executor = nullptr;                        ///< null: nobody waits
    std::function<void(const std::string& error)> done;  ///< on the executor's thread
  };

  struct Found {
    SessionRef session;  ///< none: there is no such session
    SessionData data;
  };
  struct Written {
    Outcome outcome = Outcome::kDone;
    SessionRef session;
    SessionData data;
    std::string token;  ///< the new one, of a session that was made or rotated
  };
  /// A session in a listing.
  struct Listed {
    std::uint64_t id = 0;
    Milliseconds created = 0;
    Milliseconds used = 0;
    SessionData data;
  };

  virtual ~SessionStore() = default;

  /// Takes effect at once; sessions that are too many or too large for it stay until they are written.
  virtual void apply(const Settings& settings) = 0;

  /// The session that a client's text names, whatever the text is. It is used with that.
  [[nodiscard]] virtual Found find(std::string_view token, Milliseconds now) = 0;

  /// Makes a session out of `changes`.
  [[nodiscard]] virtual Written make(std::string_view changes, Milliseconds now, Waiter waiter) = 0;

  /// Makes `changes` in a session; `rotate` gives it another token, and the one before names nothing from then on.
  [[nodiscard]] virtual Written write(const SessionRef& session, std::string_view changes, bool rotate,
                                      Milliseconds now, Waiter waiter) = 0;

  /// Ends a session. kGone: it has ended already.
  [[nodiscard]] virtual Outcome destroy(const SessionRef& session, Waiter waiter) = 0;

  /// The session is used.
  virtual void touch(const SessionRef& session, Milliseconds now) = 0;

  /// The sessions of a user: those whose key `user` says so.
  [[nodiscard]] virtual std::vector<Listed> of(std::string_view user, Milliseconds now) = 0;

  /// Ends the sessions of a user, or that with the id alone when it is not 0. Returns how many; the waiter is told
  /// once, unless the outcome is kDone.
  [[nodiscard]] virtual std::pair<std::size_t, Outcome> destroy_user(std::string_view user, std::uint64_t id,
                                                                     Waiter waiter) = 0;

  /// Has `ended` run on the executor's thread once the session ends, in whatever way; at once where it has. As long as
  /// somebody watches it, a session is in use. Returns what unwatch() takes.
  [[nodiscard]] virtual std::uint64_t watch(const SessionRef& session, Executor& executor,
                                            std::function<void()> ended) = 0;
  /// After it the executor is not used. What was posted before may still run.
  virtual void unwatch(const SessionRef& session, std::uint64_t watch, Milliseconds now) = 0;

  /// Whether waiters are told anything.
  [[nodiscard]] virtual bool waits() const = 0;

  /// How many there are.
  [[nodiscard]] virtual std::size_t count() const = 0;

  /// How many were made so far, and how many went for want of room.
  [[nodiscard]] virtual std::uint64_t made() const = 0;
  [[nodiscard]] virtual std::uint64_t evicted() const = 0;

  /// Frees what has expired. Call it about once a second.
  virtual void sweep(Milliseconds now) = 0;
};

}  // namespace perigee::state
