// What looks at every key of a shared dictionary.

#include "base/clock.h"
#include "state/shared_dictionary.h"

namespace perigee::state {
namespace {

constexpr std::size_t kTidiedByCount = 64;  // a shard
constexpr std::size_t kLooked = 4096;       // keys that walk() looks at
constexpr std::size_t kLookedLocked = 256;  // under one lock

}  // namespace

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
    reap(i);
    publish(i);
  }
}

}  // namespace perigee::state
