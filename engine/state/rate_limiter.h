#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/text_map.h"

namespace perigee::state {

/// How often something may happen: the generic cell rate algorithm (ITU-T I.371, "virtual scheduling"). A bucket holds
/// `burst` tokens; one comes back every `interval` nanoseconds.
struct Rate {
  std::int64_t interval = 1;  ///< nanoseconds, at least 1
  std::int64_t burst = 1;     ///< tokens, at least 1; `interval * burst` stays below 2^62
};

/// Counts how often things happen, by keys, for all workers of the process. One number a key: when its bucket will be
/// full again. A key whose bucket is full says nothing, so it is forgotten; there are at most kMostKeys, and for one
/// more the key whose bucket is the fullest of a few is forgotten, which lets it begin anew. Any thread.
class RateLimiter {
 public:
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kShardKeys = 4096;
  static constexpr std::size_t kMostKeys = kShards * kShardKeys;
  static constexpr std::size_t kLongKey = 128;  ///< bytes; longer keys are kept as their digest

  struct Verdict {
    bool allowed = true;
    std::int64_t remaining = 0;  ///< tokens left
    std::int64_t retry = 0;      ///< nanoseconds until one is there; 0 when allowed
    std::int64_t reset = 0;      ///< nanoseconds until the bucket is full
  };

  /// Takes a token of `key`'s bucket, if there is one, at the monotonic time `now` (nanoseconds). Throws
  /// std::bad_alloc.
  [[nodiscard]] Verdict take(std::string_view key, const Rate& rate, std::int64_t now);

  /// How many keys are kept.
  [[nodiscard]] std::size_t size();

 private:
  using Buckets = TextMap<std::int64_t>;

  /// A part of the keys. Its own line of the cache, so that workers do not slow each other down.
  struct alignas(64) Shard {
    std::mutex mutex;
    Buckets full_at;         ///< key -> when its bucket is full
    std::size_t cursor = 0;  ///< where forgetting goes on
  };

  static void forget_some(Shard& shard, std::int64_t now);

  std::array<Shard, kShards> shards_;
};

}  // namespace perigee::state
