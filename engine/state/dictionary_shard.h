#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

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

/// A key with its value, one block of memory: this head, the key's bytes, the value's.
struct DictionaryEntry {
  DictionaryEntry* next = nullptr;   ///< in its bucket
  DictionaryEntry* newer = nullptr;  ///< used after this one
  DictionaryEntry* older = nullptr;
  std::uint64_t hash = 0;
  std::int64_t expires = kNever;  ///< monotonic nanoseconds
  std::uint64_t used = 0;         ///< the dictionary's tick when it was used last
  std::uint64_t version = 0;      ///< another one after each write
  double number = 0;
  std::uint32_t key_size = 0;
  std::uint32_t value_size = 0;
  std::uint32_t room = 0;        ///< bytes for key and value
  std::uint32_t heap_index = 0;  ///< among what expires
  ValueKind kind = ValueKind::kNone;

  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view key() { return {bytes(), key_size}; }
  [[nodiscard]] DictionaryValue value() { return {kind, number, {bytes() + key_size, value_size}}; }
};

/// A part of a shared dictionary's keys: a hash table whose entries are also in a list by their last use and, where
/// they expire, in a heap by that time. Knows nothing of locks and bounds: its dictionary does.
class DictionaryShard {
 public:
  DictionaryShard() = default;
  ~DictionaryShard();
  DictionaryShard(const DictionaryShard&) = delete;
  DictionaryShard& operator=(const DictionaryShard&) = delete;

  /// Bytes that such an entry takes, the allocator's and the heap's included.
  [[nodiscard]] static std::size_t cost(std::size_t key_size, std::size_t value_size);
  [[nodiscard]] static std::size_t cost(const DictionaryEntry& entry);

  [[nodiscard]] DictionaryEntry* find(std::string_view key, std::uint64_t hash) const;
  /// REQUIRES: the key is not there. Throws std::bad_alloc, and has changed nothing then.
  DictionaryEntry& insert(std::string_view key, std::uint64_t hash, const DictionaryValue& value, std::int64_t expires);
  /// Whether a value can take the place of an entry's own, or another block is better.
  [[nodiscard]] static bool fits(const DictionaryEntry& entry, const DictionaryValue& value);
  /// REQUIRES: fits().
  static void rewrite(DictionaryEntry& entry, const DictionaryValue& value);
  /// Throws std::bad_alloc, and has changed nothing then.
  void set_expiry(DictionaryEntry& entry, std::int64_t expires);
  /// The entry was used last of all.
  void touch(DictionaryEntry& entry);
  void remove(DictionaryEntry& entry);

  [[nodiscard]] DictionaryEntry* oldest() const { return oldest_; }
  /// The entry that expires first; null when none does.
  [[nodiscard]] DictionaryEntry* first_to_expire() const { return heap_.empty() ? nullptr : heap_.front(); }
  [[nodiscard]] std::size_t count() const { return count_; }

  /// Forgets every entry; reap() frees them.
  void detach();
  /// Frees up to `most` forgotten entries, and returns the bytes that were theirs.
  std::size_t reap(std::size_t most);
  [[nodiscard]] bool has_detached() const { return detached_ != nullptr; }

  /// Sets how many buckets there are: 2^bits. Without memory for them the old ones stay.
  void set_bucket_bits(int bits);
  [[nodiscard]] int bucket_bits() const { return bits_; }
  /// The first entry of a bucket. The buckets hold the hashes in rising order.
  [[nodiscard]] DictionaryEntry* bucket(std::size_t index) const { return buckets_ ? buckets_[index] : nullptr; }
  [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const { return bits_ == 0 ? 0 : hash >> (64 - bits_); }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  using Buckets = std::unique_ptr<DictionaryEntry*[], Free>;

  [[nodiscard]] static Buckets make_buckets(int bits);
  void link(DictionaryEntry& entry);
  void unlink(DictionaryEntry& entry);
  void place(DictionaryEntry* entry, std::size_t index);
  void sift(DictionaryEntry* entry, std::size_t index);
  void leave_heap(DictionaryEntry& entry);

  Buckets buckets_;  // made with the first entry
  int bits_ = 0;
  DictionaryEntry* newest_ = nullptr;
  DictionaryEntry* oldest_ = nullptr;
  DictionaryEntry* detached_ = nullptr;  // linked by `older`
  std::vector<DictionaryEntry*> heap_;
  std::size_t count_ = 0;
};

}  // namespace perigee::state
