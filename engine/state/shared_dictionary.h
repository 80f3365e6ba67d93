#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/dictionary_shard.h"

namespace perigee::state {

/// Keys and values that all workers share, bounded in bytes. Over its bound the keys used longest ago go (nearly: what
/// was used since it was last looked at has a second chance); a pinned one evicts nothing and is full instead. Times to
/// live are in nanoseconds of the monotonic clock, kNever for none. What has expired is never seen; what inserts or
/// removes keys frees a little of it.
///
/// Any thread. A key is read, and a value of much the same size written, under the lock of its bucket alone. What makes
/// or removes entries, or changes when they expire, holds one of 64 locks besides, and for no more than some hundred
/// entries: so a read waits for one other operation on its bucket and for nothing else.
class SharedDictionary {
 public:
  static constexpr int kShardBits = 6;
  static constexpr std::size_t kShards = std::size_t{1} << kShardBits;
  static constexpr std::uint64_t kEnd = std::uint64_t{1} << 53;  ///< position after the last key

  struct Settings {
    std::size_t size = 10 * 1024 * 1024;  ///< bytes: keys, values and what keeping them takes
    bool pin = false;

    bool operator==(const Settings&) const = default;
  };

  enum class Outcome : std::int32_t { kDone, kExists, kNotFound, kFull, kNotNumber };
  enum class When : std::int32_t { kAlways, kAbsent, kPresent };

  /// A value as it was. Used again and again, it keeps its memory.
  struct Copy {
    ValueKind kind = ValueKind::kNone;
    double number = 0;
    std::string bytes;
  };

  struct Sum {
    Outcome outcome;
    double value;
  };

  explicit SharedDictionary(const Settings& settings);
  SharedDictionary(const SharedDictionary&) = delete;
  SharedDictionary& operator=(const SharedDictionary&) = delete;

  /// Changes size and pin. What no longer fits goes at once, unless it is pinned.
  void apply(const Settings& settings);

  /// Copies the value of `key`; kNone where there is none. Throws std::bad_alloc.
  void get(std::string_view key, Copy& copy);

  /// Writes a value with a time to live of its own: kDone, kExists (kAbsent asked for), kNotFound (kPresent asked for)
  /// or kFull: pinned and full, larger than the whole dictionary, or out of memory.
  [[nodiscard]] Outcome write(std::string_view key, const DictionaryValue& value, std::int64_t lifetime, When when);

  /// Replaces the value of `key` by `value` if it is `old`; kNone stands for none, both ways. Keeps its time to live.
  /// kDone, kExists: it is another; kNotFound or kFull.
  [[nodiscard]] Outcome compare_and_swap(std::string_view key, const DictionaryValue& old,
                                         const DictionaryValue& value);

  /// Adds to a number; where there is none, to `initial`, with that time to live. kDone, kFull or kNotNumber.
  [[nodiscard]] Sum increment(std::string_view key, double by, double initial, std::int64_t lifetime);

  /// False: it was not there.
  [[nodiscard]] bool erase(std::string_view key);
  /// Gives a key another time to live, from now on. kDone, kNotFound or kFull (out of memory).
  [[nodiscard]] Outcome expire(std::string_view key, std::int64_t lifetime);
  /// The time a key has left, kNever where it stays; nothing where it is not there.
  [[nodiscard]] std::optional<std::int64_t> lifetime(std::string_view key);

  /// Adds to `found` the keys that begin with `prefix`, from a position on (0 at first), until it holds `limit` or some
  /// thousand keys were looked at. Returns where to go on, kEnd at the end. A key that is there all the while is found
  /// once. Throws std::bad_alloc.
  [[nodiscard]] std::uint64_t walk(std::uint64_t position, std::string_view prefix, std::size_t limit,
                                   std::vector<std::string>& found);

  /// How many keys there are. Those that have expired a moment ago, and are many, may be counted.
  [[nodiscard]] std::size_t count();

  /// Forgets every key at once. Their memory comes back little by little, or when it is needed.
  void clear();

  /// Bytes in use.
  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  /// How many keys went before their time, for want of room.
  [[nodiscard]] std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }
  [[nodiscard]] Settings settings() const;

 private:
  using Bucket = DictionaryShard::Bucket;

  /// Its own lines of the cache, so that workers do not slow each other down.
  struct alignas(64) Shard {
    DictionaryShard entries;
    std::mutex mutex;
  };

  struct Place {
    std::uint64_t hash;  ///< within the shard
    std::size_t shard;
  };

  /// What an operation works on, locked.
  struct Site {
    Shard& shard;
    Bucket& bucket;
    std::string_view key;
    std::uint64_t hash;
    DictionaryEntry* entry;  ///< null where there is none
  };

  [[nodiscard]] std::size_t index_of(const Shard& shard) const {
    return static_cast<std::size_t>(&shard - shards_.data());
  }
  [[nodiscard]] static Place place_of(std::string_view key);
  template <typename Operation>
  [[nodiscard]] Outcome write_at(std::string_view key, std::size_t needed, const Operation& operation);
  template <typename Operation>
  [[nodiscard]] Outcome write_once(std::string_view key, const Operation& operation);
  [[nodiscard]] static DictionaryEntry* find(const Shard& shard, const Bucket& bucket, std::string_view key,
                                             std::uint64_t hash);
  [[nodiscard]] Outcome put(const Site& site, const DictionaryValue& value, std::int64_t expires);
  [[nodiscard]] bool overwrite(std::string_view key, const DictionaryValue& value);
  void use(DictionaryEntry& entry);
  [[nodiscard]] Sum add(DictionaryEntry& entry, double by);
  void remove(const Site& site);
  void publish(std::size_t index);
  void tidy(std::size_t index, std::size_t most, std::int64_t now);
  void tidy_a_little(std::size_t index);
  void reap(std::size_t index);
  [[nodiscard]] bool reserve(std::ptrdiff_t bytes);
  [[nodiscard]] bool make_room();
  void trim();
  [[nodiscard]] bool evict_from(std::size_t index, int& chances);

  std::array<Shard, kShards> shards_;
  /// When the oldest entry of each shard was put there; UINT64_MAX where there is none.
  std::array<std::atomic<std::uint64_t>, kShards> oldest_;
  alignas(64) std::atomic<std::size_t> used_{0};
  alignas(64) std::atomic<std::uint64_t> tick_{1};    // insertions
  alignas(64) std::atomic<std::size_t> capacity_{0};  // bytes of entries
  std::atomic<std::size_t> size_{0};
  std::atomic<bool> pin_{false};
  std::atomic<std::uint64_t> evictions_{0};
};

}  // namespace perigee::state
