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

// Clients choose keys: they must not be able to choose where they go.
std::uint64_t random_seed() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&seed));
  return seed;
}

std::int64_t deadline(std::int64_t lifetime) {
  const std::int64_t now = lifetime == kNever ? 0 : monotonic_ns();
  return lifetime >= kNever - now ? kNever : now + lifetime;
}

bool is_same(const DictionaryValue& a, const DictionaryValue& b) {
  if (a.kind != b.kind || a.kind != ValueKind::kNumber) {
    return a.kind == b.kind && a.bytes == b.bytes;
  }
  return a.number == b.number || (std::isnan(a.number) && std::isnan(b.number));
}

}  // namespace

SharedDictionary::SharedDictionary(const Settings& settings) {
  for (std::size_t i = 0; i < kShards; ++i) {
    publish(i);
  }
  apply(settings);
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

void SharedDictionary::remove(const Site& site) {
  const std::size_t bytes = DictionaryShard::cost(*site.entry);
  site.shard.entries.remove(site.bucket, *site.entry);
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  publish(index_of(site.shard));
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
  tidy_a_little(place.shard);
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
  tidy_a_little(place.shard);
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

}  // namespace perigee::state
