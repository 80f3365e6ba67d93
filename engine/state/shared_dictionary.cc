#include "state/shared_dictionary.h"

#include <algorithm>
#include <bit>
#include <cmath>
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
constexpr int kSecondChances = 64;  // that a write gives
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

// Nanoseconds, some milliseconds late: who only tidies up need not know better.
std::int64_t coarse_now() {
  return monotonic_coarse_ms() * 1'000'000;
}

bool is_same(const DictionaryValue& a, const DictionaryValue& b) {
  if (a.kind != b.kind || a.kind != ValueKind::kNumber) {
    return a.kind == b.kind && a.bytes == b.bytes;
  }
  return a.number == b.number || (std::isnan(a.number) && std::isnan(b.number));
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

// The entry of a key that has not expired.
DictionaryEntry* SharedDictionary::find(const Shard& shard, const Bucket& bucket, std::string_view key,
                                        std::uint64_t hash) {
  DictionaryEntry* entry = shard.entries.find(bucket, key, hash);
  return entry != nullptr && (entry->expires == kNever || entry->expires > monotonic_ns()) ? entry : nullptr;
}

// Who reads what all read has that line of the cache to itself no more, so it is written only where it changes.
void SharedDictionary::use(DictionaryEntry& entry) {
  const std::uint64_t tick = tick_.load(std::memory_order_relaxed);
  if (entry.used.load(std::memory_order_relaxed) != tick) {
    entry.used.store(tick, std::memory_order_relaxed);
  }
}

void SharedDictionary::publish(std::size_t index) {
  const DictionaryEntry* oldest = shards_[index].entries.oldest();
  const std::uint64_t placed = oldest != nullptr ? oldest->placed : kNobody;
  if (oldest_[index].load(std::memory_order_relaxed) != placed) {
    oldest_[index].store(placed, std::memory_order_relaxed);
  }
}

void SharedDictionary::remove(const Site& site) {
  const std::size_t bytes = DictionaryShard::cost(*site.entry);
  site.shard.entries.remove(site.bucket, *site.entry);
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  publish(index_of(site.shard));
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

bool SharedDictionary::reserve(std::ptrdiff_t bytes) {
  const auto amount = static_cast<std::size_t>(bytes);  // below 0 it wraps around, and so does the sum
  const std::size_t used = used_.fetch_add(amount, std::memory_order_relaxed) + amount;
  if (bytes > 0 && pin_.load(std::memory_order_relaxed) && used > capacity_.load(std::memory_order_relaxed)) {
    used_.fetch_sub(amount, std::memory_order_relaxed);
    return false;
  }
  return true;
}

// Gives the key a value.
SharedDictionary::Outcome SharedDictionary::put(const Site& site, const DictionaryValue& value, std::int64_t expires) {
  DictionaryShard& entries = site.shard.entries;
  DictionaryEntry* entry = site.entry;
  const bool fits = entry != nullptr && DictionaryShard::fits(*entry, value);
  const std::size_t needed = fits ? 0 : DictionaryShard::cost(site.key.size(), value.bytes.size());
  const std::size_t freed = fits || entry == nullptr ? 0 : DictionaryShard::cost(*entry);
  const auto growth = static_cast<std::ptrdiff_t>(needed) - static_cast<std::ptrdiff_t>(freed);
  if (!reserve(growth)) {
    return Outcome::kFull;
  }
  try {
    if (fits) {
      entries.set_expiry(*entry, expires);
      DictionaryShard::rewrite(*entry, value);
      use(*entry);
    } else {
      const std::uint64_t tick = tick_.fetch_add(1, std::memory_order_relaxed) + 1;
      entries.insert(site.bucket, site.key, site.hash, value, expires, tick);
      if (entry != nullptr) {
        entries.remove(site.bucket, *entry);
      }
      publish(index_of(site.shard));
    }
  } catch (const std::bad_alloc&) {
    used_.fetch_sub(static_cast<std::size_t>(growth), std::memory_order_relaxed);
    return Outcome::kFull;
  }
  return Outcome::kDone;
}

// Runs `operation(site)` with the key's shard and bucket locked.
template <typename Operation>
SharedDictionary::Outcome SharedDictionary::write_once(std::string_view key, const Operation& operation) try {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  tidy(place.shard, kTidied, coarse_now());
  shard.entries.prepare();
  Bucket bucket = shard.entries.lock(place.hash);
  DictionaryEntry* entry = shard.entries.find(bucket, key, place.hash);
  if (entry != nullptr && entry->expires != kNever && entry->expires <= monotonic_ns()) {
    remove({shard, bucket, key, place.hash, entry});
    entry = nullptr;
  }
  return operation(Site{shard, bucket, key, place.hash, entry});
} catch (const std::bad_alloc&) {
  return Outcome::kFull;
}

// The same where the dictionary is full, again as long as something can go. `needed` is the size of the value.
template <typename Operation>
SharedDictionary::Outcome SharedDictionary::write_at(std::string_view key, std::size_t needed,
                                                     const Operation& operation) {
  const std::size_t capacity = capacity_.load(std::memory_order_relaxed);
  if (key.size() > capacity || needed > capacity || DictionaryShard::cost(key.size(), needed) > capacity) {
    return Outcome::kFull;
  }
  Outcome outcome = Outcome::kFull;
  do {
    outcome = write_once(key, operation);
  } while (outcome == Outcome::kFull && make_room());
  trim();
  return outcome;
}

void SharedDictionary::get(std::string_view key, Copy& copy) {
  const Place place = place_of(key);
  const Shard& shard = shards_[place.shard];
  const Bucket bucket = shard.entries.lock(place.hash);
  DictionaryEntry* entry = find(shard, bucket, key, place.hash);
  if (entry == nullptr) {
    copy.kind = ValueKind::kNone;
    return;
  }
  copy.bytes.assign(entry->value().bytes);
  copy.number = entry->number;
  copy.kind = entry->kind;
  use(*entry);
}

// Writes over a value that does not expire, where the new one fits and does not either; false: it takes more.
bool SharedDictionary::overwrite(std::string_view key, const DictionaryValue& value) {
  const Place place = place_of(key);
  const Shard& shard = shards_[place.shard];
  const Bucket bucket = shard.entries.lock(place.hash);
  DictionaryEntry* entry = shard.entries.find(bucket, key, place.hash);
  if (entry == nullptr || entry->expires != kNever || !DictionaryShard::fits(*entry, value)) {
    return false;
  }
  DictionaryShard::rewrite(*entry, value);
  use(*entry);
  return true;
}

SharedDictionary::Outcome SharedDictionary::write(std::string_view key, const DictionaryValue& value,
                                                  std::int64_t lifetime, When when) {
  if (lifetime == kNever && when != When::kAbsent && overwrite(key, value)) {
    return Outcome::kDone;
  }
  const std::int64_t expires = deadline(lifetime);
  return write_at(key, value.bytes.size(), [&](const Site& site) {
    if (when == When::kAbsent && site.entry != nullptr) {
      return Outcome::kExists;
    }
    if (when == When::kPresent && site.entry == nullptr) {
      return Outcome::kNotFound;
    }
    return put(site, value, expires);
  });
}

SharedDictionary::Outcome SharedDictionary::compare_and_swap(std::string_view key, const DictionaryValue& old,
                                                             const DictionaryValue& value) {
  return write_at(key, value.bytes.size(), [&](const Site& site) {
    if (site.entry == nullptr && old.kind != ValueKind::kNone) {
      return Outcome::kNotFound;
    }
    if (site.entry != nullptr && !is_same(site.entry->value(), old)) {
      return Outcome::kExists;
    }
    if (value.kind != ValueKind::kNone) {
      return put(site, value, site.entry != nullptr ? site.entry->expires : kNever);
    }
    if (site.entry != nullptr) {
      remove(site);
    }
    return Outcome::kDone;
  });
}

// Adds to the number of an entry, whose bucket is locked.
SharedDictionary::Sum SharedDictionary::add(DictionaryEntry& entry, double by) {
  if (entry.kind != ValueKind::kNumber) {
    return {Outcome::kNotNumber, 0};
  }
  use(entry);
  return {Outcome::kDone, entry.number += by};
}

SharedDictionary::Sum SharedDictionary::increment(std::string_view key, double by, double initial,
                                                  std::int64_t lifetime) {
  const Place place = place_of(key);
  const Shard& shard = shards_[place.shard];
  {
    const Bucket bucket = shard.entries.lock(place.hash);
    if (DictionaryEntry* entry = find(shard, bucket, key, place.hash); entry != nullptr) {
      return add(*entry, by);
    }
  }
  Sum sum{Outcome::kDone, initial + by};
  sum.outcome = write_at(key, 0, [&](const Site& site) {
    if (site.entry == nullptr) {
      return put(site, {ValueKind::kNumber, initial + by, {}}, deadline(lifetime));
    }
    sum = add(*site.entry, by);
    return sum.outcome;
  });
  return sum;
}

bool SharedDictionary::erase(std::string_view key) {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  tidy(place.shard, kTidied, coarse_now());
  Bucket bucket = shard.entries.lock(place.hash);
  DictionaryEntry* entry = find(shard, bucket, key, place.hash);
  if (entry == nullptr) {
    return false;
  }
  remove({shard, bucket, key, place.hash, entry});
  return true;
}

SharedDictionary::Outcome SharedDictionary::expire(std::string_view key, std::int64_t lifetime) try {
  const Place place = place_of(key);
  Shard& shard = shards_[place.shard];
  const std::lock_guard lock(shard.mutex);
  const Bucket bucket = shard.entries.lock(place.hash);
  DictionaryEntry* entry = find(shard, bucket, key, place.hash);
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
  const Shard& shard = shards_[place.shard];
  const Bucket bucket = shard.entries.lock(place.hash);
  const DictionaryEntry* entry = find(shard, bucket, key, place.hash);
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
      for (DictionaryEntry* entry = entries.first(bucket); entry != nullptr; entry = entry->next, ++here) {
        const std::uint64_t place = (std::uint64_t{index} << kInShard) | (entry->hash >> (kUnused + kShardBits));
        if (place >= position && entry->expires > now && !entries.is_forgotten(*entry) &&
            entry->key().starts_with(prefix)) {
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
  const std::int64_t now = monotonic_ns();
  std::size_t count = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    tidy(i, kTidiedByCount, now);
    count += shards_[i].entries.count();
  }
  return count;
}

void SharedDictionary::clear() {
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    shards_[i].entries.forget();
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
