#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "state/bucket_table.h"

namespace perigee::state {

/// What a dictionary holds under a key. A table is bytes to the dictionary: whoever writes and reads them knows how.
enum class ValueKind : std::uint8_t { kNone, kString, kNumber, kFalse, kTrue, kTable };

struct DictionaryValue {
  ValueKind kind = ValueKind::kNone;
  double number = 0;       ///< of kNumber
  std::string_view bytes;  ///< of kString and kTable
};

/// Monotonic nanoseconds of what never expires.
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// A key with its value, one block of memory: this head, the key's bytes, the value's. What is not constant changes
/// only while both its shard and its bucket are locked, but for the value, for which its bucket is enough.
struct DictionaryEntry {
  DictionaryEntry* next = nullptr;   ///< in its bucket
  DictionaryEntry* newer = nullptr;  ///< in the order of use; the shard's lock is enough
  DictionaryEntry* older = nullptr;
  std::uint64_t hash = 0;
  std::int64_t expires = kNever;       ///< monotonic nanoseconds
  std::atomic<std::uint64_t> used{0};  ///< the dictionary's tick when it was used last
  std::uint64_t placed = 0;            ///< `used` when it was put where it is in that order; the shard's lock is enough
  double number = 0;
  std::uint32_t key_size = 0;
  std::uint32_t value_size = 0;
  std::uint32_t room = 0;        ///< bytes for key and value
  std::uint32_t heap_index = 0;  ///< among what expires
  std::uint32_t generation = 0;  ///< of its shard; another one: it was forgotten
  ValueKind kind = ValueKind::kNone;

  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view key() { return {bytes(), key_size}; }
  [[nodiscard]] DictionaryValue value() { return {kind, number, {bytes() + key_size, value_size}}; }
};

/// A part of a shared dictionary's keys: a hash table whose entries are also in a list by their last use and, where
/// they expire, in a heap by that time. Knows nothing of bounds: its dictionary does. There is a lock for each bucket,
/// which lock() takes; whatever is said to need the shard's lock is guarded by one that its dictionary has, and that is
/// taken first.
class DictionaryShard {
 public:
  using Bucket = BucketTable::Bucket;

  DictionaryShard() = default;
  ~DictionaryShard();
  DictionaryShard(const DictionaryShard&) = delete;
  DictionaryShard& operator=(const DictionaryShard&) = delete;

  /// Bytes that such an entry takes, the allocator's and the heap's included.
  [[nodiscard]] static std::size_t cost(std::size_t key_size, std::size_t value_size);
  [[nodiscard]] static std::size_t cost(const DictionaryEntry& entry);

  /// Locks the bucket of a hash.
  [[nodiscard]] Bucket lock(std::uint64_t hash) const { return table_.lock(hash); }
  [[nodiscard]] DictionaryEntry* find(const Bucket& bucket, std::string_view key, std::uint64_t hash) const;
  /// Whether a value can take the place of an entry's own, or another block is better.
  [[nodiscard]] static bool fits(const DictionaryEntry& entry, const DictionaryValue& value);
  /// REQUIRES: fits().
  static void rewrite(DictionaryEntry& entry, const DictionaryValue& value);

  // All the following needs the shard's lock.

  /// Sees to it that insert() can be called. Throws std::bad_alloc.
  void prepare() { table_.prepare(); }
  /// REQUIRES: the key is not there, and prepare(). Throws std::bad_alloc, and has changed nothing then.
  DictionaryEntry& insert(Bucket& bucket, std::string_view key, std::uint64_t hash, const DictionaryValue& value,
                          std::int64_t expires, std::uint64_t used);
  /// Throws std::bad_alloc, and has changed nothing then. REQUIRES: the entry's bucket is locked.
  void set_expiry(DictionaryEntry& entry, std::int64_t expires);
  /// Puts it among the others as one that was used last of all.
  void renew(DictionaryEntry& entry);
  void remove(Bucket& bucket, DictionaryEntry& entry);
  /// Locks its bucket.
  void remove(DictionaryEntry& entry);

  /// The entry that was renewed longest ago.
  [[nodiscard]] DictionaryEntry* oldest() const { return oldest_; }
  /// The entry that expires first; null when none does.
  [[nodiscard]] DictionaryEntry* first_to_expire() const { return heap_.empty() ? nullptr : heap_.front(); }
  [[nodiscard]] std::size_t count() const { return count_; }

  /// Forgets every entry; reap() frees them.
  void forget();
  /// Frees up to `most` forgotten entries, and returns the bytes that were theirs.
  std::size_t reap(std::size_t most);
  [[nodiscard]] bool has_forgotten() const { return forgotten_ != nullptr; }
  [[nodiscard]] bool is_forgotten(const DictionaryEntry& entry) const {
    return entry.generation != generation_.load(std::memory_order_relaxed);
  }

  /// Sets how many buckets there are: 2^bits. Without memory for them the old ones stay.
  void set_bucket_bits(int bits) { table_.resize(bits); }
  [[nodiscard]] int bucket_bits() const { return table_.bits(); }
  /// The first entry of a bucket; forgotten ones may be in the list. The buckets hold the hashes in rising order.
  [[nodiscard]] DictionaryEntry* first(std::size_t bucket) const { return table_.first(bucket); }
  [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const { return table_.index_of(hash); }

 private:
  void link(DictionaryEntry& entry);
  void unlink(DictionaryEntry& entry);
  static void take_out(Bucket& bucket, DictionaryEntry& entry);
  void place(DictionaryEntry* entry, std::size_t index);
  void sift(DictionaryEntry* entry, std::size_t index);
  void leave_heap(DictionaryEntry& entry);

  BucketTable table_;
  std::atomic<std::uint32_t> generation_{0};
  // What is read without the shard's lock stays on lines of the cache that seldom change.
  alignas(64) DictionaryEntry* newest_ = nullptr;
  DictionaryEntry* oldest_ = nullptr;
  DictionaryEntry* forgotten_ = nullptr;  // linked by `older`
  std::vector<DictionaryEntry*> heap_;
  std::size_t count_ = 0;
};

}  // namespace perigee::state
