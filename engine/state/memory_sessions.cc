#include "state/memory_sessions.h"

#include <algorithm>
#include <new>
#include <tuple>

#include "base/crypto.h"
#include "state/session_data.h"

namespace perigee::state {
namespace {

constexpr Milliseconds kEarly = 16;            // a session is looked at by so small a part of its time too early
constexpr Milliseconds kUseSaved = 60 * 1000;  // how far the last use on disk may lie behind, at most
constexpr int kUseSavedPart = 8;               // and at most such a part of the idle timeout

SessionRecord& record_of(const SessionRef& session) {
  return *static_cast<SessionRecord*>(session.get());
}

SessionData data_of(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace

MemorySessions::MemorySessions(const Settings& settings, Milliseconds now) {
  for (auto& part : parts_) {
    part = std::make_unique<Part>(now / kTick);
  }
  apply(settings);
}

MemorySessions::~MemorySessions() {
  for (const auto& part : parts_) {
    for (std::size_t i = 0; i < part->records.buckets(); ++i) {
      for (Record* record = part->records.bucket(i); record != nullptr;) {
        Record* next = record->next;
        record->timer.cancel();
        record->self.reset();
        record = next;
      }
    }
  }
}

void MemorySessions::apply(const Settings& settings) {
  idle_.store(settings.idle, std::memory_order_relaxed);
  absolute_.store(settings.absolute, std::memory_order_relaxed);
  most_.store(std::max<std::size_t>(settings.most, 1), std::memory_order_relaxed);
  size_.store(settings.size, std::memory_order_relaxed);
}

MemorySessions::Record* MemorySessions::find(const Part& part, const SessionToken::Digest& digest) {
  Record* record = part.records.first(digest.words[0]);
  while (record != nullptr && !(record->digest == digest)) {
    record = record->next;
  }
  return record;
}

// When a session ends unless it is used. While somebody watches it, it is.
Milliseconds MemorySessions::ends(const Record& record) const {
  const Milliseconds absolute = record.created + absolute_.load(std::memory_order_relaxed);
  return record.watches != nullptr ? absolute : std::min(absolute, record.used + idle_.load(std::memory_order_relaxed));
}

// On disk the last use may lie behind a little: not every reading is written.
void MemorySessions::use(Record& record, Milliseconds now) {
  record.used = std::max(record.used, now);
  if (sink_ == nullptr) {
    return;
  }
  const Milliseconds behind = std::min(kUseSaved, idle_.load(std::memory_order_relaxed) / kUseSavedPart);
  if (record.used - record.saved > behind) {
    try {
      save(record, {});
    } catch (const std::bad_alloc&) {  // the next use will tell
    }
  }
}

// What is far is looked at a little early, at a tick that the wheel comes to without moving it down to the last level:
// most will have been used by then, and the others are armed for what is left.
void MemorySessions::arm(Part& part, Record& record) {
  Milliseconds tick = ends(record) / kTick + 1;
  const Milliseconds left = tick - part.wheel.now();
  for (Milliseconds step = TimerWheel::kSlots; left > step * kEarly; step *= TimerWheel::kSlots) {
    tick -= tick % step;
  }
  part.wheel.add(record.timer, tick);
}

// Hands the record's state to the sink. REQUIRES: its part is locked.
bool MemorySessions::save(Record& record, Waiter waiter) {
  ++record.version;
  if (sink_ == nullptr) {
    return false;
  }
  record.saved = record.used;
  SessionRow row{SessionRef(&record), record.version, record.id(), record.digest, record.created, record.used, nullptr};
  if (record.alive) {
    row.data = record.data;
  }
  return sink_->put(std::move(row), std::move(waiter));
}

// Puts a new record into its part, which is locked.
void MemorySessions::enter(Part& part, Record& record, std::string user) noexcept {
  record.self = SessionRef(&record);
  record.hash = record.digest.words[0];
  part.records.insert(record);
  users_.move(record.link, std::move(user));
  arm(part, record);
  count_.fetch_add(1, std::memory_order_relaxed);
}

// Takes a record out of its part, which is locked. True: the waiter will be told.
bool MemorySessions::remove(Part& part, Record& record, Waiter waiter) {
  const SessionRef self = std::move(record.self);
  record.alive = false;
  record.timer.cancel();
  part.records.remove(record);
  users_.move(record.link, {});
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (const auto watches = std::move(record.watches)) {
    for (Record::Watch& watch : *watches) {
      watch.executor->post(std::move(watch.ended));
    }
  }
  return save(record, std::move(waiter));
}

SessionStore::Found MemorySessions::find(std::string_view token, Milliseconds now) {
  const std::size_t number = SessionToken::part_of(token);
  if (number == SessionToken::kParts) {
    return {};
  }
  const SessionToken::Digest digest = SessionToken::digest(token);
  Part& part = *parts_[number];
  const std::lock_guard lock(part.mutex);
  Record* record = find(part, digest);
  if (record == nullptr || ends(*record) <= now) {
    return {};  // the wheel will free it
  }
  use(*record, now);
  return {SessionRef(record), record->data};
}

SessionStore::Written MemorySessions::make(std::string_view changes, Milliseconds now, Waiter waiter) {
  Written made;
  std::string bytes = SessionEntries::merge({}, changes);
  if (bytes.size() > size_.load(std::memory_order_relaxed)) {
    made.outcome = Outcome::kTooLarge;
    return made;
  }
  const std::uint64_t id = random_number() | 2;  // never 0 or 1
  const std::size_t number = id >> 58;           // of 64 parts
  auto* record = new Record(id, *this, number);
  made.session = SessionRef(record);
  std::string user = SessionEntries::user(bytes).value_or("");
  made.token = SessionToken::make(number);
  made.data = record->data = data_of(std::move(bytes));
  record->digest = SessionToken::digest(made.token);
  record->created = record->used = now;
  make_room(number);
  Part& part = *parts_[number];
  const std::lock_guard lock(part.mutex);
  made.outcome = save(*record, std::move(waiter)) ? Outcome::kWaiting : Outcome::kDone;
  enter(part, *record, std::move(user));
  made_.fetch_add(1, std::memory_order_relaxed);
  return made;
}

SessionStore::Written MemorySessions::write(const SessionRef& session, std::string_view changes, bool rotate,
                                            Milliseconds now, Waiter waiter) {
  Record& record = record_of(session);
  Part& part = part_of(record);
  Written written{Outcome::kDone, session, nullptr, rotate ? SessionToken::make(record.part) : std::string()};
  const SessionToken::Digest digest = rotate ? SessionToken::digest(written.token) : SessionToken::Digest();
  const std::lock_guard lock(part.mutex);
  if (!record.alive || ends(record) <= now) {
    written.outcome = Outcome::kGone;
    return written;
  }
  std::string bytes = SessionEntries::merge(*record.data, changes);
  if (bytes.size() > size_.load(std::memory_order_relaxed)) {
    written.outcome = Outcome::kTooLarge;
    return written;
  }
  std::string user = SessionEntries::user(bytes).value_or("");
  const State before = exchange(record, {data_of(std::move(bytes)), rotate ? digest : record.digest, now});
  try {
    written.outcome = save(record, std::move(waiter)) ? Outcome::kWaiting : Outcome::kDone;
  } catch (const std::bad_alloc&) {
    exchange(record, before);
    throw;
  }
  users_.move(record.link, std::move(user));
  written.data = record.data;
  return written;
}

// Gives a record another state, and returns the one it had. REQUIRES: its part is locked.
MemorySessions::State MemorySessions::exchange(Record& record, State state) noexcept {
  State before{std::exchange(record.data, std::move(state.data)), record.digest,
               std::exchange(record.used, state.used)};
  if (!(record.digest == state.digest)) {
    LinearBuckets<Record>& records = part_of(record).records;
    records.remove(record);
    record.digest = state.digest;
    record.hash = record.digest.words[0];
    records.insert(record);
  }
  return before;
}

SessionStore::Outcome MemorySessions::destroy(const SessionRef& session, Waiter waiter) {
  Record& record = record_of(session);
  Part& part = part_of(record);
  const std::lock_guard lock(part.mutex);
  if (!record.alive) {
    return Outcome::kGone;
  }
  return remove(part, record, std::move(waiter)) ? Outcome::kWaiting : Outcome::kDone;
}

void MemorySessions::touch(const SessionRef& session, Milliseconds now) {
  Record& record = record_of(session);
  const std::lock_guard lock(part_of(record).mutex);
  if (record.alive && ends(record) > now) {
    use(record, now);
  }
}

std::vector<SessionStore::Listed> MemorySessions::of(std::string_view user, Milliseconds now) {
  std::vector<Listed> list;
  for (const SessionRef& session : users_.of(user)) {
    const Record& record = record_of(session);
    const std::lock_guard lock(part_of(record).mutex);
    if (record.alive && ends(record) > now && record.link.user == user) {
      list.push_back({record.id(), record.created, record.used, record.data});
    }
  }
  return list;
}

std::pair<std::size_t, SessionStore::Outcome> MemorySessions::destroy_user(std::string_view user, std::uint64_t id,
                                                                           Waiter waiter) {
  std::pair<std::size_t, Outcome> ended{0, Outcome::kDone};
  std::vector<SessionRef> sessions = users_.of(user);
  std::erase_if(sessions, [id](const SessionRef& session) { return id != 0 && session->id() != id; });
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    Record& record = record_of(sessions[i]);
    Part& part = part_of(record);
    const std::lock_guard lock(part.mutex);
    if (record.alive && record.link.user == user) {
      // What the last is told holds for all: the sink keeps the order, and what it could not keep it takes up again.
      const bool told = remove(part, record, i + 1 == sessions.size() ? std::move(waiter) : Waiter());
      ended = {ended.first + 1, told ? Outcome::kWaiting : Outcome::kDone};
    }
  }
  return ended;
}

std::uint64_t MemorySessions::watch(const SessionRef& session, Executor& executor, std::function<void()> ended) {
  const std::uint64_t number = last_watch_.fetch_add(1, std::memory_order_relaxed) + 1;
  Record& record = record_of(session);
  const std::lock_guard lock(part_of(record).mutex);
  if (!record.alive) {
    executor.post(std::move(ended));
    return number;
  }
  if (record.watches == nullptr) {
    record.watches = std::make_unique<std::vector<Record::Watch>>();
  }
  record.watches->push_back({number, &executor, std::move(ended)});
  return number;
}

void MemorySessions::unwatch(const SessionRef& session, std::uint64_t watch, Milliseconds now) {
  Record& record = record_of(session);
  Part& part = part_of(record);
  const std::lock_guard lock(part.mutex);
  if (record.watches == nullptr) {
    return;
  }
  std::erase_if(*record.watches, [watch](const Record::Watch& one) { return one.number == watch; });
  if (record.watches->empty()) {
    record.watches.reset();
    use(record, now);
    arm(part, record);
  }
}

void MemorySessions::sweep(Milliseconds now) {
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    part->now = now;
    part->wheel.advance(now / kTick);
  }
}

void MemorySessions::due(Record& record) {
  Part& part = part_of(record);
  if (ends(record) > part.now) {
    arm(part, record);
    return;
  }
  try {
    remove(part, record, {});
  } catch (const std::bad_alloc&) {  // it is gone here; on disk it has expired as well
  }
}

// Evicts until there is room for one more, first in the part where that goes.
void MemorySessions::make_room(std::size_t from) {
  for (std::size_t tried = 0; tried < parts_.size() && count() >= most_.load(std::memory_order_relaxed);) {
    Part& part = *parts_[(from + tried) % parts_.size()];
    const std::lock_guard lock(part.mutex);
    tried += evict(part) ? 0 : 1;
  }
}

bool MemorySessions::evict(Part& part) {
  Record* victim = nullptr;
  std::size_t looked = 0;
  for (std::size_t buckets = part.records.buckets(); buckets > 0 && looked < kLookedAt; --buckets) {
    part.cursor = part.cursor + 1 < part.records.buckets() ? part.cursor + 1 : 0;
    for (Record* record = part.records.bucket(part.cursor); record != nullptr; record = record->next, ++looked) {
      const auto rank = [](const Record& one) {
        return std::tuple(one.watches != nullptr, !one.link.user.empty(), one.used);
      };
      if (victim == nullptr || rank(*record) < rank(*victim)) {
        victim = record;
      }
    }
  }
  if (victim == nullptr) {
    return false;
  }
  evicted_.fetch_add(1, std::memory_order_relaxed);
  try {
    remove(part, *victim, {});
  } catch (const std::bad_alloc&) {  // it is gone here; on disk it stays until it expires
  }
  return true;
}

bool MemorySessions::load(const SessionRow& row, Milliseconds now) {
  auto* record = new Record(row.id, *this, row.id >> 58);
  const SessionRef held(record);
  record->digest = row.digest;
  record->data = row.data;
  record->created = row.created;
  record->used = record->saved = row.used;
  std::string user = SessionEntries::user(*row.data).value_or("");
  if (ends(*record) <= now) {
    return false;
  }
  make_room(record->part);
  Part& part = part_of(*record);
  const std::lock_guard lock(part.mutex);
  enter(part, *record, std::move(user));
  return true;
}

void MemorySessions::undo(const SessionRow& failed, const SessionRow* kept) {
  Record& record = record_of(failed.session);
  Part& part = part_of(record);
  std::string user = kept != nullptr ? SessionEntries::user(*kept->data).value_or("") : "";
  const std::lock_guard lock(part.mutex);
  if (!record.alive || record.version != failed.version) {
    return;
  }
  if (kept == nullptr) {
    remove(part, record, {});
    return;
  }
  exchange(record, {kept->data, kept->digest, record.used});
  users_.move(record.link, std::move(user));
}

}  // namespace perigee::state
