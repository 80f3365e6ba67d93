#pragma once

#include <array>
#include <atomic>
#include <mutex>

#include "state/session_record.h"
#include "state/session_store.h"
#include "state/session_users.h"

namespace perigee::state {

/// The embedded store: sessions in the memory of the process, in 64 parts with a lock each. A part's timer wheel, which
/// ticks in seconds, frees what has expired; using a session does not touch the wheel, which looks at the last use when
/// a timer fires and sets it anew. Whether a session has expired is seen exactly whenever it is looked for.
///
/// For one session more than there may be, another goes: of the 16 that come next in its part the one that was used
/// longest ago, one of nobody's before one of a user's.
class MemorySessions final : public SessionStore, private SessionRecord::Owner {
 public:
  explicit MemorySessions(const Settings& settings, Milliseconds now);
  ~MemorySessions() override;

  /// Takes a session that came from disk; false where it has expired. REQUIRES: nothing else uses the store yet.
  [[nodiscard]] bool load(const SessionRow& row, Milliseconds now);
  /// From now on `sink` is told of every change. REQUIRES: nothing else uses the store yet.
  void set_sink(SessionSink* sink) { sink_ = sink; }
  /// Undoes what `failed` was to keep, unless the session was changed since: `kept` is what the disk has of it, null
  /// for nothing.
  void undo(const SessionRow& failed, const SessionRow* kept);

  void apply(const Settings& settings) override;
  [[nodiscard]] Found find(std::string_view token, Milliseconds now) override;
  [[nodiscard]] Written make(std::string_view changes, Milliseconds now, Waiter waiter) override;
  [[nodiscard]] Written write(const SessionRef& session, std::string_view changes, bool rotate, Milliseconds now,
                              Waiter waiter) override;
  [[nodiscard]] Outcome destroy(const SessionRef& session, Waiter waiter) override;
  void touch(const SessionRef& session, Milliseconds now) override;
  [[nodiscard]] std::vector<Listed> of(std::string_view user, Milliseconds now) override;
  [[nodiscard]] std::pair<std::size_t, Outcome> destroy_user(std::string_view user, std::uint64_t id,
                                                             Waiter waiter) override;
  [[nodiscard]] std::uint64_t watch(const SessionRef& session, Executor& executor,
                                    std::function<void()> ended) override;
  void unwatch(const SessionRef& session, std::uint64_t watch, Milliseconds now) override;
  [[nodiscard]] bool waits() const override { return sink_ != nullptr && sink_->waits(); }
  [[nodiscard]] std::size_t count() const override { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t made() const override { return made_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t evicted() const override { return evicted_.load(std::memory_order_relaxed); }
  void sweep(Milliseconds now) override;

 private:
  using Record = SessionRecord;
  static constexpr Milliseconds kTick = 1000;
  static constexpr std::size_t kLookedAt = 16;  // sessions, of which one is evicted

  struct alignas(64) Part {
    explicit Part(std::int64_t tick) : wheel(tick) {}
    std::mutex mutex;
    LinearBuckets<Record> records;
    Milliseconds now = 0;    // while the wheel turns
    std::size_t cursor = 0;  // the bucket where evicting goes on
    TimerWheel wheel;        // its milliseconds are ticks
  };

  struct State {
    SessionData data;
    SessionToken::Digest digest;
    Milliseconds used;
  };

  void due(Record& record) override;
  [[nodiscard]] Part& part_of(const Record& record) { return *parts_[record.part]; }
  [[nodiscard]] static Record* find(const Part& part, const SessionToken::Digest& digest);
  [[nodiscard]] Milliseconds ends(const Record& record) const;
  void use(Record& record, Milliseconds now);
  void arm(Part& part, Record& record);
  void enter(Part& part, Record& record, std::string user) noexcept;
  State exchange(Record& record, State state) noexcept;
  bool remove(Part& part, Record& record, Waiter waiter);
  bool save(Record& record, Waiter waiter);
  void make_room(std::size_t from);
  bool evict(Part& part);

  std::atomic<Milliseconds> idle_;
  std::atomic<Milliseconds> absolute_;
  std::atomic<std::size_t> most_;
  std::atomic<std::size_t> size_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> made_{0};
  std::atomic<std::uint64_t> evicted_{0};
  std::atomic<std::uint64_t> last_watch_{0};
  SessionSink* sink_ = nullptr;
  SessionUsers users_;
  std::array<std::unique_ptr<Part>, SessionToken::kParts> parts_;
};

}  // namespace perigee::state
