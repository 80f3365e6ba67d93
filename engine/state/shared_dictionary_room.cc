// How a shared dictionary stays within its bounds.

#include <bit>
#include <limits>

#include "base/clock.h"
#include "state/shared_dictionary.h"

namespace perigee::state {
namespace {

constexpr std::size_t kTidied = 2;         // expired keys that a write removes on the way
constexpr std::size_t kReaped = 8;         // forgotten entries that a write frees
constexpr std::size_t kReapedAtOnce = 64;  // and one that looks for room
constexpr std::size_t kBytesPerBucket = 128;
constexpr int kSecondChances = 64;  // that a write gives
constexpr std::uint64_t kNobody = std::numeric_limits<std::uint64_t>::max();

// 2^bits buckets a shard, so that they take about a sixteenth of the whole size.
int bucket_bits(std::size_t size) {
  const std::size_t buckets = size / SharedDictionary::kShards / kBytesPerBucket;
  return buckets < 2 ? 0 : static_cast<int>(std::bit_width(buckets)) - 1;
}

std::size_t bucket_bytes(std::size_t size) {
  return (SharedDictionary::kShards << bucket_bits(size)) * sizeof(DictionaryEntry*);
}

// Nanoseconds, some milliseconds late: who only tidies up need not know better.
std::int64_t coarse_now() {
  return monotonic_coarse_ms() * 1'000'000;
}

}  // namespace

void SharedDictionary::apply(const Settings& settings) {
  pin_.store(settings.pin, std::memory_order_relaxed);
  if (size_.exchange(settings.size, std::memory_order_relaxed) != settings.size) {
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      shard.entries.set_bucket_bits(bucket_bits(settings.size));
    }
    capacity_.store(settings.size - bucket_bytes(settings.size), std::memory_order_relaxed);
  }
  trim();
}

void SharedDictionary::publish(std::size_t index) {
  const DictionaryEntry* oldest = shards_[index].entries.oldest();
  const std::uint64_t placed = oldest != nullptr ? oldest->placed : kNobody;
  if (oldest_[index].load(std::memory_order_relaxed) != placed) {
    oldest_[index].store(placed, std::memory_order_relaxed);
  }
}

// Frees up to `most` entries that had expired at `now`, and some that were forgotten.
void SharedDictionary::tidy(std::size_t index, std::size_t most, std::int64_t now) {
  DictionaryShard& entries = shards_[index].entries;
  if (entries.has_forgotten()) {
    used_.fetch_sub(entries.reap(kReaped), std::memory_order_relaxed);
  }
  DictionaryEntry* first = entries.first_to_expire();
  if (first == nullptr) {
    return;
  }
  for (; most > 0 && first != nullptr && first->expires <= now; --most) {
    used_.fetch_sub(DictionaryShard::cost(*first), std::memory_order_relaxed);
    entries.remove(*first);
    first = entries.first_to_expire();
  }
  publish(index);
}

// What a write takes on itself.
void SharedDictionary::tidy_a_little(std::size_t index) {
  tidy(index, kTidied, coarse_now());
}

// Frees many of the entries that were forgotten.
void SharedDictionary::reap(std::size_t index) {
  used_.fetch_sub(shards_[index].entries.reap(kReapedAtOnce), std::memory_order_relaxed);
}

bool SharedDictionary::reserve(std::ptrdiff_t bytes) {
  const auto amount = static_cast<std::size_t>(bytes);  // below 0 it wraps around, and so does the sum
  const std::size_t used = used_.fetch_add(amount, std::memory_order_relaxed) + amount;
  if (bytes > 0 && pin_.load(std::memory_order_relaxed) && used > capacity_.load(std::memory_order_relaxed)) {
    used_.fetch_sub(amount, std::memory_order_relaxed);
    return false;
  }
  return true;
}

// Frees what nobody sees any more; false where there is nothing of that kind.
bool SharedDictionary::make_room() {
  const std::size_t before = used();
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    reap(i);
    tidy(i, kReapedAtOnce, coarse_now());
  }
  return used() < before;
}

// Evicts until what is used is within bounds again. No lock is held, so that others may come in between.
void SharedDictionary::trim() {
  int chances = kSecondChances;
  while (!pin_.load(std::memory_order_relaxed) &&
         used_.load(std::memory_order_relaxed) > capacity_.load(std::memory_order_relaxed)) {
    std::size_t found = kShards;
    std::uint64_t placed = kNobody;
    for (std::size_t i = 0; i < kShards; ++i) {
      if (const std::uint64_t oldest = oldest_[i].load(std::memory_order_relaxed); oldest < placed) {
        found = i;
        placed = oldest;
      }
    }
    if (found < kShards ? !evict_from(found, chances) && !make_room() : !make_room()) {
      return;
    }
  }
}

// What has expired or was forgotten goes first. What was used since it was put among the others takes one of the
// chances, and its place as what was used then.
bool SharedDictionary::evict_from(std::size_t index, int& chances) {
  const std::lock_guard lock(shards_[index].mutex);
  DictionaryShard& entries = shards_[index].entries;
  if (const std::size_t reaped = entries.reap(kReaped); reaped > 0) {
    used_.fetch_sub(reaped, std::memory_order_relaxed);
    return true;
  }
  DictionaryEntry* first = entries.first_to_expire();
  const bool expired = first != nullptr && first->expires <= coarse_now();
  DictionaryEntry* victim = expired ? first : entries.oldest();
  if (victim == nullptr) {
    return false;
  }
  if (!expired && chances > 0 && victim->used.load(std::memory_order_relaxed) != victim->placed) {
    --chances;
    entries.renew(*victim);
  } else {
    used_.fetch_sub(DictionaryShard::cost(*victim), std::memory_order_relaxed);
    evictions_.fetch_add(expired ? 0 : 1, std::memory_order_relaxed);
    entries.remove(*victim);
  }
  publish(index);
  return true;
}

}  // namespace perigee::state
