#include "state/bucket_table.h"

#include <new>
#include <thread>

#include "state/dictionary_shard.h"

namespace perigee::state {

DictionaryEntry* BucketTable::wait_for(std::uintptr_t& word) {
  constexpr int kSpins = 64;  // some hundred nanoseconds, longer than it takes whoever is not interrupted
  const std::atomic_ref<std::uintptr_t> bucket(word);
  for (int spins = 0;; ++spins) {
    std::uintptr_t seen = bucket.load(std::memory_order_relaxed);
    if ((seen & kLocked) == 0 &&
        bucket.compare_exchange_weak(seen, seen | kLocked, std::memory_order_acquire, std::memory_order_relaxed)) {
      return entry_of(seen);
    }
    if (spins < kSpins) {
      __builtin_ia32_pause();
    } else {
      std::this_thread::yield();
    }
  }
}

// The table of that size, empty.
std::uintptr_t* BucketTable::table_with(int bits) {
  for (const Table& table : tables_) {
    if (table[0] == static_cast<std::uintptr_t>(bits)) {
      return table.get();
    }
  }
  tables_.reserve(tables_.size() + 1);
  // calloc() takes large ones fresh from the kernel, untouched
  auto* memory = static_cast<std::uintptr_t*>(std::calloc((std::size_t{1} << bits) + 1, sizeof(std::uintptr_t)));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  memory[0] = static_cast<std::uintptr_t>(bits);
  tables_.emplace_back(memory);
  return memory;
}

void BucketTable::prepare() {
  if (table_.load(std::memory_order_relaxed) == nullptr) {
    table_.store(table_with(bits_), std::memory_order_release);
  }
}

DictionaryEntry* BucketTable::first(std::size_t bucket) const {
  std::uintptr_t* table = table_.load(std::memory_order_relaxed);
  return table == nullptr ? nullptr : entry_of(std::atomic_ref(table[1 + bucket]).load(std::memory_order_relaxed));
}

void BucketTable::resize(int bits) {
  std::uintptr_t* old = table_.load(std::memory_order_relaxed);
  if (bits == bits_ || old == nullptr) {
    bits_ = bits;
    return;
  }
  std::uintptr_t* fresh = nullptr;
  try {
    fresh = table_with(bits);
  } catch (const std::bad_alloc&) {
    return;
  }
  const std::size_t count = std::size_t{1} << bits_;
  for (std::size_t i = 1; i <= count; ++i) {
    DictionaryEntry* next = nullptr;
    for (DictionaryEntry* entry = take(old[i]); entry != nullptr; entry = next) {
      next = entry->next;
      std::uintptr_t& word = fresh[1 + index(entry->hash, bits)];
      entry->next = take(word);  // it may be a table that was used before, and that somebody still looks at
      release(word, entry);
    }
  }
  bits_ = bits;
  table_.store(fresh, std::memory_order_release);
  for (std::size_t i = 1; i <= count; ++i) {
    release(old[i], nullptr);
  }
}

}  // namespace perigee::state
