#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace perigee::state {

struct DictionaryEntry;

/// The buckets of a hash table that threads share. A bucket is one word: the first entry of its list, and in the lowest
/// bit its lock. So whoever looks up a key writes to that word alone, and threads that use different keys seldom to the
/// same line of the cache. Who waits for a bucket spins, and soon lets others run: it is held while one value is
/// copied.
class BucketTable {
 public:
  /// A bucket, locked. Nobody holds two, but resize().
  class Bucket {
   public:
    Bucket() = default;
    Bucket(Bucket&& other) noexcept : word_(std::exchange(other.word_, nullptr)), first_(other.first_) {}
    Bucket& operator=(Bucket&&) = delete;
    ~Bucket() {
      if (word_ != nullptr) {
        release(*word_, first_);
      }
    }

    /// Null also where the table has no buckets yet.
    [[nodiscard]] DictionaryEntry* first() const { return first_; }
    /// REQUIRES: the table's owner is locked too, and the table has buckets.
    void set_first(DictionaryEntry* entry) { first_ = entry; }

   private:
    friend class BucketTable;
    Bucket(std::uintptr_t* word, DictionaryEntry* first) : word_(word), first_(first) {}

    std::uintptr_t* word_ = nullptr;
    DictionaryEntry* first_ = nullptr;
  };

  /// Locks the bucket of a hash. Any thread.
  [[nodiscard]] Bucket lock(std::uint64_t hash) const {
    for (;;) {
      std::uintptr_t* table = table_.load(std::memory_order_acquire);
      if (table == nullptr) {
        return {};
      }
      std::uintptr_t& word = table[1 + index(hash, static_cast<int>(table[0]))];
      DictionaryEntry* first = take(word);
      if (table_.load(std::memory_order_relaxed) == table) {
        return {&word, first};
      }
      release(word, first);  // it was resized meanwhile
    }
  }

  // All the following: whoever owns the table is locked.

  /// Sees to it that there are buckets. Throws std::bad_alloc.
  void prepare();
  /// Sets how many buckets there are: 2^bits. Without memory for them the old ones stay. All are locked meanwhile.
  void resize(int bits);
  [[nodiscard]] int bits() const { return bits_; }
  /// The first entry of a bucket. The buckets hold the hashes in rising order.
  [[nodiscard]] DictionaryEntry* first(std::size_t bucket) const;
  [[nodiscard]] std::size_t index_of(std::uint64_t hash) const { return index(hash, bits_); }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  using Table = std::unique_ptr<std::uintptr_t[], Free>;  // its bits, then the buckets

  [[nodiscard]] static std::size_t index(std::uint64_t hash, int bits) { return bits == 0 ? 0 : hash >> (64 - bits); }
  [[nodiscard]] static DictionaryEntry* take(std::uintptr_t& word) {
    const std::atomic_ref<std::uintptr_t> bucket(word);
    std::uintptr_t seen = bucket.load(std::memory_order_relaxed) & ~kLocked;
    if (bucket.compare_exchange_strong(seen, seen | kLocked, std::memory_order_acquire, std::memory_order_relaxed)) {
      return entry_of(seen);
    }
    return wait_for(word);
  }
  [[nodiscard]] static DictionaryEntry* wait_for(std::uintptr_t& word);
  static void release(std::uintptr_t& word, DictionaryEntry* first) {
    std::atomic_ref(word).store(reinterpret_cast<std::uintptr_t>(first), std::memory_order_release);
  }
  [[nodiscard]] static DictionaryEntry* entry_of(std::uintptr_t word) {
    return reinterpret_cast<DictionaryEntry*>(word & ~kLocked);
  }
  [[nodiscard]] std::uintptr_t* table_with(int bits);

  static constexpr std::uintptr_t kLocked = 1;

  std::atomic<std::uintptr_t*> table_{nullptr};
  int bits_ = 0;
  std::vector<Table> tables_;  // one a size: somebody may still look at an old one
};

}  // namespace perigee::state
