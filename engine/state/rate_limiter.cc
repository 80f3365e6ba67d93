#include "state/rate_limiter.h"

#include <algorithm>

#include "base/crypto.h"

namespace perigee::state {
namespace {

constexpr std::size_t kLooked = 8;  // buckets of the hash table that are looked at for every new key

}  // namespace

RateLimiter::Verdict RateLimiter::take(std::string_view key, const Rate& rate, std::int64_t now) {
  std::string digest;
  if (key.size() > kLongKey) {
    digest = sha256(key);
    key = digest;
  }
  Shard& shard = shards_[(TextHash()(key) >> 32) % kShards];
  const std::int64_t room = rate.interval * rate.burst;
  const std::lock_guard lock(shard.mutex);
  auto found = shard.full_at.find(key);
  const std::int64_t full_at = found == shard.full_at.end() ? now : std::clamp(found->second, now, now + room);
  const std::int64_t next = full_at + rate.interval;
  Verdict verdict;
  verdict.allowed = next - now <= room;
  const std::int64_t kept = verdict.allowed ? next : full_at;
  verdict.remaining = (room - (kept - now)) / rate.interval;
  verdict.retry = verdict.allowed ? 0 : next - now - room;
  verdict.reset = kept - now;
  if (found != shard.full_at.end()) {
    found->second = kept;
    return verdict;
  }
  forget_some(shard, now);
  shard.full_at.emplace(key, kept);
  return verdict;
}

// Forgets the full buckets among the next few, and where the shard is still at its bound the fullest of those.
void RateLimiter::forget_some(Shard& shard, std::int64_t now) {
  Buckets& all = shard.full_at;
  auto fullest = all.end();
  for (std::size_t looked = 0; looked < kLooked; ++looked) {
    shard.cursor = (shard.cursor + 1) % all.bucket_count();
    for (auto at = all.begin(shard.cursor); at != all.end(shard.cursor);) {
      const auto entry = all.find(at->first);
      ++at;
      if (entry->second <= now) {
        all.erase(entry);
      } else if (fullest == all.end() || entry->second < fullest->second) {
        fullest = entry;
      }
    }
  }
  if (all.size() >= kShardKeys) {
    all.erase(fullest == all.end() ? all.begin() : fullest);
  }
}

std::size_t RateLimiter::size() {
  std::size_t count = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.full_at.size();
  }
  return count;
}

}  // namespace perigee::state
