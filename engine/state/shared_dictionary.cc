#include "state/shared_dictionary.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/clock.h"
#include "base/crypto.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace perigee::state {
namespace {

constexpr std::size_t kTidied = 2;          // expired keys that a write removes on the way
constexpr std::size_t kReaped = 8;          // forgotten entries that a write frees
constexpr std::size_t kReapedAtOnce = 64;   // and one that looks for room
constexpr std::size_t kTidiedByCount = 64;  // a shard
constexpr std::size_t kLooked = 4096;       // keys that walk() looks at
constexpr std::size_t kLookedLocked = 256;  // under one lock
constexpr std::size_t kBytesPerBucket = 128;
constexpr std::uint64_t kNobody = std::numeric_limits<std::uint64_t>::max();

// Clients choose keys: they must not be able to choose where they go.
std::uint64_t random_seed() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&seed));
  return seed;
}

// 2^bits buckets a shard, so that they take about a sixteenth of the whole size.
int bucket_bits(std::size_t size) {
  const std::size_t buckets = size / SharedDictionary::kShards / kBytesPerBucket;
  return buckets < 2 ? 0 : static_cast<int>(std::bit_width(buckets)) - 1;
}

std::size_t bucket_bytes(std::size_t size) {
  return (SharedDictionary::kShards << bucket_bits(size)) * sizeof(DictionaryEntry*);
}

std::int64_t deadline(std::int64_t lifetime) {
  const std::int64_t now = lifetime == kNever ? 0 : monotonic_ns();
  return lifetime >= kNever - now ? kNever : now + lifetime;
}

bool is_same(const DictionaryValue& a, const DictionaryValue& b) {
  return a.kind == b.kind && (a.kind == ValueKind::kNumber ? a.number == b.number : a.bytes == b.bytes);
}

}  // namespace

SharedDictionary::SharedDictionary(const Settings& settings) {
  for (auto& oldest : oldest_) {
    oldest.store(kNobody, std::memory_order_relaxed);
  }
  apply(settings);
}

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

SharedDictionary::Settings SharedDictionary::settings() const {
  return {size_.load(std::memory_order_relaxed), pin_.load(std::memory_order_relaxed)};
}

SharedDictionary::Place SharedDictionary::place_of(std::string_view key) {
  static const std::uint64_t seed = random_seed();
  const std::uint64_t hash = XXH3_64bits_withSeed(key.data(), key.size(), seed);
  return {hash << kShardBits, static_cast<std::size_t>(hash >> (64 - kShardBits))};
}

// The entry of a key that has not expired; one that has is removed.
DictionaryEntry* SharedDictionary::find(Shard& shard, std::string_view key, std::uint64_t hash) {
  DictionaryEntry* entry = shard.entries.find(key, hash);
  if (entry != nullptr && entry->expires != kNever && entry->expires <= monotonic_ns()) {
    remove(index_of(shard), *entry);
    return nullptr;
  }
  return entry;
}

void SharedDictionary::use(std::size_t index, DictionaryEntry& entry) {
  entry.used = tick_.load(std::memory_order_relaxed);
  shards_[index].entries.touch(entry);
  publish(index);
}

void SharedDictionary::publish(std::size_t index) {
  const DictionaryEntry* oldest = shards_[index].entries.oldest();
  const std::uint64_t used = oldest != nullptr ? oldest->used : kNobody;
  if (oldest_[index].load(std::memory_order_relaxed) != used) {
    oldest_[index].store(used, std::memory_order_relaxed);
  }
}

void SharedDictionary::remove(std::size_t index, DictionaryEntry& entry) {
  const std::size_t bytes = DictionaryShard::cost(entry);
  shards_[index].entries.remove(entry);
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  publish(index);
}

// Frees up to `most` entries that have expired, and some that were forgotten. The coarse clock will do.
void SharedDictionary::tidy(std::size_t index, std::size_t most) {
  DictionaryShard& entries = shards_[index].entries;
  if (entries.has_detached()) {
    used_.fetch_sub(entries.reap(kReaped), std::memory_order_relaxed);
  }
  DictionaryEntry* first = entries.first_to_expire();
  if (first == nullptr) {
    return;
  }
  const std::int64_t now = monotonic_coarse_ms() * 1'000'000;
  for (; most > 0 && first != nullptr && first->expires <= now; --most) {
    remove(index, *first);
    first = entries.first_to_expire();
  }
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

// Gives the key a value; `entry` is the one it has. REQUIRES: its shard is locked.
SharedDictionary::Outcome SharedDictionary::put(Shard& shard, DictionaryEntry* entry, std::string_view key,
                                                std::uint64_t hash, const DictionaryValue& value,
                                                std::int64_t expires) {
  const bool fits = entry != nullptr && DictionaryShard::fits(*entry, value);
  const std::size_t needed = fits ? 0 : DictionaryShard::cost(key.size(), value.bytes.size());
  const std::size_t freed = fits || entry == nullptr ? 0 : DictionaryShard::cost(*entry);
  const auto growth = static_cast<std::ptrdiff_t>(needed) - static_cast<std::ptrdiff_t>(freed);
  if (!reserve(growth)) {
    return Outcome::kFull;
  }
  try {
    if (fits) {
      shard.entries.set_expiry(*entry, expires);
      DictionaryShard::rewrite(*entry, value);
    } else {
      DictionaryEntry& fresh = shard.entries.insert(key, hash, value, expires);
      if (entry != nullptr) {
        shard.entries.remove(*entry);
      }
      entry = &fresh;
      tick_.fetch_add(1, std::memory_order_relaxed);
    }
  } catch (const std::bad_alloc&) {
    used_.fetch_sub(static_cast<std::size_t>(growth), std::memory_order_relaxed);
    return Outcome::kFull;
  }
  entry->version = ++shard.writes;
  use(index_of(shard), *entry);
  return Outcome::kDone;
}

// Runs `operation(shard, entry, hash)` under the lock of the key's shard; where that is full, again as long as
// something can go. `needed` is the size of the value.
template <typename Operation>
SharedDictionary::Outcome SharedDictionary::write_at(std::string_view key, std::size_t needed,
                                                     const Operation& operation) {
  const std::size_t capacity = capacity_.load(std::memory_order_relaxed);
  if (key.size() > capacity || needed > capacity || DictionaryShard::cost(key.size(), needed) > capacity) {
    return Outcome::kFull;
  }
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  Outcome outcome = Outcome::kFull;
  do {
    const std::lock_guard lock(shard.mutex);
    tidy(place.shard, kTidied);
    outcome = operation(shard, find(shard, key, place.hash), place.hash);
  } while (outcome == Outcome::kFull && make_room());
  trim();
  return outcome;
}

void SharedDictionary::get(std::string_view key, Copy& copy) {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  DictionaryEntry* entry = find(shard, key, place.hash);
  if (entry == nullptr) {
    copy.kind = ValueKind::kNone;
    copy.version = 0;
    return;
  }
  copy.bytes.assign(entry->value().bytes);
  copy.number = entry->number;
  copy.kind = entry->kind;
  copy.version = entry->version;
  use(place.shard, *entry);
}

SharedDictionary::Outcome SharedDictionary::write(std::string_view key, const DictionaryValue& value,
                                                  std::int64_t lifetime, When when) {
  const std::int64_t expires = deadline(lifetime);
  return write_at(key, value.bytes.size(), [&](Shard& shard, DictionaryEntry* entry, std::uint64_t hash) {
    if (when == When::kAbsent && entry != nullptr) {
      return Outcome::kExists;
    }
    if (when == When::kPresent && entry == nullptr) {
      return Outcome::kNotFound;
    }
    return put(shard, entry, key, hash, value, expires);
  });
}

SharedDictionary::Outcome SharedDictionary::swap(std::string_view key, const DictionaryValue& value,
                                                 std::uint64_t version) {
  return write_at(key, value.bytes.size(), [&](Shard& shard, DictionaryEntry* entry, std::uint64_t hash) {
    if ((entry != nullptr ? entry->version : 0) != version) {
      return Outcome::kExists;
    }
    if (value.kind != ValueKind::kNone) {
      return put(shard, entry, key, hash, value, entry != nullptr ? entry->expires : kNever);
    }
    if (entry != nullptr) {
      remove(index_of(shard), *entry);
    }
    return Outcome::kDone;
  });
}

SharedDictionary::Outcome SharedDictionary::compare_and_swap(std::string_view key, const DictionaryValue& old,
                                                             const DictionaryValue& value) {
  return write_at(key, value.bytes.size(), [&](Shard& shard, DictionaryEntry* entry, std::uint64_t hash) {
    if (entry == nullptr && old.kind != ValueKind::kNone) {
      return Outcome::kNotFound;
    }
    if (entry != nullptr && !is_same(entry->value(), old)) {
      return Outcome::kExists;
    }
    if (value.kind != ValueKind::kNone) {
      return put(shard, entry, key, hash, value, entry != nullptr ? entry->expires : kNever);
    }
    if (entry != nullptr) {
      remove(index_of(shard), *entry);
    }
    return Outcome::kDone;
  });
}

SharedDictionary::Sum SharedDictionary::increment(std::string_view key, double by, double initial,
                                                  std::int64_t lifetime) {
  Sum sum{Outcome::kDone, 0};
  sum.outcome = write_at(key, 0, [&](Shard& shard, DictionaryEntry* entry, std::uint64_t hash) {
    if (entry == nullptr) {
      sum.value = initial + by;
      return put(shard, nullptr, key, hash, {ValueKind::kNumber, sum.value, {}}, deadline(lifetime));
    }
    if (entry->kind != ValueKind::kNumber) {
      return Outcome::kNotNumber;
    }
    sum.value = entry->number += by;
    entry->version = ++shard.writes;
    use(index_of(shard), *entry);
    return Outcome::kDone;
  });
  return sum;
}

bool SharedDictionary::erase(std::string_view key) {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  tidy(place.shard, kTidied);
  DictionaryEntry* entry = find(shard, key, place.hash);
  if (entry == nullptr) {
    return false;
  }
  remove(place.shard, *entry);
  return true;
}

SharedDictionary::Outcome SharedDictionary::expire(std::string_view key, std::int64_t lifetime) try {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  DictionaryEntry* entry = find(shard, key, place.hash);
  if (entry == nullptr) {
    return Outcome::kNotFound;
  }
  shard.entries.set_expiry(*entry, deadline(lifetime));
  return Outcome::kDone;
} catch (const std::bad_alloc&) {
  return Outcome::kFull;
}

std::optional<std::int64_t> SharedDictionary::lifetime(std::string_view key) {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  const DictionaryEntry* entry = find(shard, key, place.hash);
  if (entry == nullptr) {
    return std::nullopt;
  }
  return entry->expires == kNever ? kNever : std::max<std::int64_t>(1, entry->expires - monotonic_ns());
}

// A position is where a hash begins: a bucket holds the hashes of a range, in whatever number of buckets.
std::uint64_t SharedDictionary::walk(std::uint64_t position, std::string_view prefix, std::size_t limit,
                                     std::vector<std::string>& found) {
  constexpr int kUnused = 64 - 53;  // bits of a hash that positions leave out
  constexpr int kInShard = 53 - kShardBits;
  for (std::size_t looked = 0; position < kEnd && looked < kLooked && found.size() < limit;) {
    const auto index = static_cast<std::size_t>(position >> kInShard);
    Shard& shard = shards_[index];
    const std::lock_guard lock(shard.mutex);
    const DictionaryShard& entries = shard.entries;
    if (entries.count() == 0) {
      position = std::uint64_t{index + 1} << kInShard;
      ++looked;
      continue;
    }
    const std::size_t buckets = std::size_t{1} << entries.bucket_bits();
    const std::int64_t now = monotonic_ns();
    std::size_t bucket = entries.bucket_of(position << (kUnused + kShardBits));
    for (std::size_t here = 0; bucket < buckets && here < kLookedLocked && found.size() < limit; ++bucket) {
      for (DictionaryEntry* entry = entries.bucket(bucket); entry != nullptr; entry = entry->next, ++here) {
        const std::uint64_t place = (std::uint64_t{index} << kInShard) | (entry->hash >> (kUnused + kShardBits));
        if (place >= position && entry->expires > now && entry->key().starts_with(prefix)) {
          found.emplace_back(entry->key());
        }
      }
      ++here;
      ++looked;
    }
    looked += kLookedLocked;
    position =
        (std::uint64_t{index} << kInShard) + (static_cast<std::uint64_t>(bucket) << (kInShard - entries.bucket_bits()));
  }
  return position;
}

std::size_t SharedDictionary::count() {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    tidy(i, kTidiedByCount);
    count += shards_[i].entries.count();
  }
  return count;
}

void SharedDictionary::clear() {
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    shards_[i].entries.detach();
    used_.fetch_sub(shards_[i].entries.reap(kReapedAtOnce), std::memory_order_relaxed);
    publish(i);
  }
}

// Frees what nobody sees any more; false where there is nothing of that kind.
bool SharedDictionary::make_room() {
  const std::size_t before = used();
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    used_.fetch_sub(shards_[i].entries.reap(kReapedAtOnce), std::memory_order_relaxed);
    tidy(i, kReapedAtOnce);
  }
  return used() < before;
}

// Evicts until what is used is within bounds again. No lock is held, so that others may come in between.
void SharedDictionary::trim() {
  while (!pin_.load(std::memory_order_relaxed) &&
         used_.load(std::memory_order_relaxed) > capacity_.load(std::memory_order_relaxed)) {
    std::size_t found = kShards;
    std::uint64_t used = kNobody;
    for (std::size_t i = 0; i < kShards; ++i) {
      if (const std::uint64_t oldest = oldest_[i].load(std::memory_order_relaxed); oldest < used) {
        found = i;
        used = oldest;
      }
    }
    if (found < kShards ? !evict_from(found) && !make_room() : !make_room()) {
      return;
    }
  }
}

// What has expired or was forgotten goes first.
bool SharedDictionary::evict_from(std::size_t index) {
  const std::lock_guard lock(shards_[index].mutex);
  DictionaryShard& entries = shards_[index].entries;
  const std::size_t reaped = entries.reap(kReaped);
  used_.fetch_sub(reaped, std::memory_order_relaxed);
  DictionaryEntry* first = entries.first_to_expire();
  DictionaryEntry* victim =
      first != nullptr && first->expires <= monotonic_coarse_ms() * 1'000'000 ? first : entries.oldest();
  if (reaped == 0 && victim != nullptr) {
    remove(index, *victim);
  }
  return reaped > 0 || victim != nullptr;
}

}  // namespace perigee::state
