#include "base/watchdog.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <new>
#include <string>
#include <utility>

#include "base/after_look.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/queued_time.h"

namespace perigee {
namespace {

constexpr auto kTick = std::chrono::milliseconds(5);
constexpr auto kIdleTick = std::chrono::milliseconds(20);
constexpr int kIdleAfter = 200;                    // ticks without anything to see
constexpr std::int64_t kNoticed = 1'000'000;       // ns of a tick that a thread computed: it may be in Lua again soon
constexpr std::int64_t kLong = 5'000'000'000;      // ns: a block that is told of before its end
constexpr std::int64_t kMostCharge = 100'000'000;  // ns: what lies between two looks may not all be the stay's

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

// A thread that is watched. The watchdog's, but for what the pulse itself holds.
struct Watchdog::Watched {
  Pulse* pulse;
  pthread_t thread;
  int number;  // as the kernel counts threads
  clockid_t clock;
  bool reports;             // stays that hold up the thread
  std::uint64_t stay = 0;   // the one seen last
  std::int64_t taken = 0;   // the clock when it was last read
  std::int64_t since = 0;   // when the stay was first seen
  std::int64_t queued = 0;  // how long the thread had waited for a processor by then
  bool reported = false;
  bool told = false;  // that it still lasts
};

Watchdog::Watch::Watch(Watchdog& watchdog, Clock clock, bool reports) : watchdog_(watchdog) {
  auto entry = std::make_unique<Watched>();
  entry->pulse = &pulse;
  entry->thread = pthread_self();
  entry->number = static_cast<int>(syscall(SYS_gettid));
  entry->reports = reports;
  entry->clock = CLOCK_MONOTONIC;
  if (clock == Clock::kProcessor) {
    pthread_getcpuclockid(entry->thread, &entry->clock);
  }
  entry->taken = read_clock(entry->clock);
  const std::lock_guard lock(watchdog.mutex_);
  watchdog.watched_.push_back(std::move(entry));
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  std::erase_if(watchdog_.watched_, [](const auto& entry) { return entry->pulse == &pulse; });
}

Watchdog::Watchdog()
    : thread_([this] {
        pthread_setname_np(pthread_self(), "perigee-watch");
        run();
      }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

int Watchdog::signal() {
  return SIGRTMIN;
}

void Watchdog::run() {
  int quiet = 0;
  std::int64_t looked = monotonic_ns();
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, quiet < kIdleAfter ? kTick : kIdleTick, [this] { return over_; })) {
    quiet = look() ? 0 : quiet + 1;
    const std::int64_t before = std::exchange(looked, monotonic_ns());
    if (const auto then = after_look.load(std::memory_order_acquire); then != nullptr) {
      then(looked - before);
    }
  }
}

// Whether there was something to see. REQUIRES: the mutex is held.
bool Watchdog::look() {
  const std::int64_t now = monotonic_ns();
  bool seen = false;
  for (const auto& entry : watched_) {
    seen = look_at(*entry, now) || seen;
  }
  return seen;
}

// A stay that is seen is charged what its thread computed since the last look, of which other stays may have had their
// share: over many looks that evens out.
bool Watchdog::look_at(Watched& watched, std::int64_t now) const {
  Pulse& seen = *watched.pulse;
  const std::uint64_t stay = seen.stay.load(std::memory_order_acquire);
  const std::int64_t clock = read_clock(watched.clock);
  const std::int64_t spent = std::min(clock - watched.taken, kMostCharge);
  watched.taken = clock;
  if (stay != watched.stay) {
    watched.stay = stay;
    watched.since = 0;
    watched.reported = watched.told = false;
  }
  if (stay == 0) {
    return watched.clock != CLOCK_MONOTONIC && spent > kNoticed;
  }
  const std::int64_t charged = seen.charged_ns.fetch_add(spent, std::memory_order_relaxed) + spent;
  seen.noted.store(true, std::memory_order_relaxed);
  if (charged >= seen.left_ns.load(std::memory_order_relaxed) || seen.stop.load(std::memory_order_relaxed)) {
    seen.stop_stay.store(stay, std::memory_order_relaxed);
    pthread_kill(watched.thread, signal());  // again at each look: what was being changed when it came may have lost it
  }
  if (watched.reports) {
    try {
      look_for_block(watched, now);
    } catch (const std::bad_alloc&) {
      return true;  // the next look may tell
    }
  }
  return true;
}

void Watchdog::look_for_block(Watched& watched, std::int64_t now) const {
  const std::int64_t patience = block_ns_.load(std::memory_order_relaxed);
  if (watched.since == 0) {
    watched.since = now;
    watched.queued = -1;
    return;
  }
  if (patience <= 0) {
    return;
  }
  if (watched.reported) {
    if (!watched.told && now - watched.since >= kLong) {
      watched.told = true;
      log_event(LogLevel::kWarn, "a worker has been held up by Lua code, or by a C function that it called, for " +
                                     std::to_string(kLong / 1'000'000'000) + " s and still is");
    }
    return;
  }
  const std::int64_t queued = queued_ns(watched.number);
  if (watched.queued < 0) {
    watched.queued = queued;
    return;
  }
  if (now - watched.since - (queued - watched.queued) >= patience) {
    watched.reported = true;
    Pulse& seen = *watched.pulse;
    seen.blocked_since.store(watched.since, std::memory_order_relaxed);
    seen.blocked_stay.store(watched.stay, std::memory_order_release);
    pthread_kill(watched.thread, signal());
  }
}

}  // namespace perigee
