#include "state/dictionary_shard.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <type_traits>

namespace perigee::state {
namespace {

constexpr std::size_t kMostEntry = std::size_t{1} << 30;  // bytes of key and value

// What malloc() makes of a block of `room` bytes and its head.
constexpr std::size_t block_size(std::size_t room) {
  constexpr std::size_t kAlignment = 16;
  constexpr std::size_t kHead = sizeof(std::size_t);
  return (sizeof(DictionaryEntry) + room + kHead + kAlignment - 1) & ~(kAlignment - 1);
}

void copy_value(DictionaryEntry& entry, const DictionaryValue& value) {
  entry.kind = value.kind;
  entry.number = value.number;
  entry.value_size = static_cast<std::uint32_t>(value.bytes.size());
  value.bytes.copy(entry.bytes() + entry.key_size, value.bytes.size());
}

static_assert(std::is_trivially_destructible_v<DictionaryEntry>);

}  // namespace

DictionaryShard::~DictionaryShard() {
  forget();
  while (forgotten_ != nullptr) {
    DictionaryEntry* entry = forgotten_;
    forgotten_ = entry->older;
    std::free(entry);
  }
}

std::size_t DictionaryShard::cost(std::size_t key_size, std::size_t value_size) {
  return block_size(key_size + value_size) + sizeof(DictionaryEntry*);
}

std::size_t DictionaryShard::cost(const DictionaryEntry& entry) {
  return block_size(entry.room) + sizeof(DictionaryEntry*);
}

DictionaryEntry* DictionaryShard::find(const Bucket& bucket, std::string_view key, std::uint64_t hash) const {
  DictionaryEntry* entry = bucket.first();
  while (entry != nullptr && (entry->hash != hash || entry->key() != key || is_forgotten(*entry))) {
    entry = entry->next;
  }
  return entry;
}

DictionaryEntry& DictionaryShard::insert(Bucket& bucket, std::string_view key, std::uint64_t hash,
                                         const DictionaryValue& value, std::int64_t expires, std::uint64_t used) {
  const std::size_t room = key.size() + value.bytes.size();
  if (room > kMostEntry) {
    throw std::bad_alloc();
  }
  if (expires != kNever && heap_.size() == heap_.capacity()) {
    heap_.reserve(std::max<std::size_t>(16, heap_.size() * 2));
  }
  void* memory = std::malloc(sizeof(DictionaryEntry) + room);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  auto* entry = new (memory) DictionaryEntry;
  entry->hash = hash;
  entry->room = static_cast<std::uint32_t>(room);
  entry->key_size = static_cast<std::uint32_t>(key.size());
  entry->generation = generation_.load(std::memory_order_relaxed);
  entry->used.store(used, std::memory_order_relaxed);
  key.copy(entry->bytes(), key.size());
  copy_value(*entry, value);
  entry->next = bucket.first();
  bucket.set_first(entry);
  link(*entry);
  ++count_;
  set_expiry(*entry, expires);
  return *entry;
}

bool DictionaryShard::fits(const DictionaryEntry& entry, const DictionaryValue& value) {
  constexpr std::size_t kSmall = 64;  // bytes that are not worth another block
  const std::size_t needed = entry.key_size + value.bytes.size();
  return needed <= entry.room && (entry.room <= kSmall || needed >= entry.room / 2);
}

void DictionaryShard::rewrite(DictionaryEntry& entry, const DictionaryValue& value) {
  copy_value(entry, value);
}

void DictionaryShard::renew(DictionaryEntry& entry) {
  unlink(entry);
  link(entry);
}

void DictionaryShard::link(DictionaryEntry& entry) {
  entry.placed = entry.used.load(std::memory_order_relaxed);
  entry.newer = nullptr;
  entry.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &entry;
  newest_ = &entry;
}

void DictionaryShard::unlink(DictionaryEntry& entry) {
  (entry.newer != nullptr ? entry.newer->older : newest_) = entry.older;
  (entry.older != nullptr ? entry.older->newer : oldest_) = entry.newer;
}

void DictionaryShard::take_out(Bucket& bucket, DictionaryEntry& entry) {
  if (bucket.first() == &entry) {
    bucket.set_first(entry.next);
    return;
  }
  DictionaryEntry* before = bucket.first();
  while (before->next != &entry) {
    before = before->next;
  }
  before->next = entry.next;
}

void DictionaryShard::remove(Bucket& bucket, DictionaryEntry& entry) {
  take_out(bucket, entry);
  unlink(entry);
  leave_heap(entry);
  --count_;
  std::free(&entry);
}

void DictionaryShard::remove(DictionaryEntry& entry) {
  Bucket bucket = lock(entry.hash);
  remove(bucket, entry);
}

void DictionaryShard::set_expiry(DictionaryEntry& entry, std::int64_t expires) {
  if (expires == kNever) {
    leave_heap(entry);
    return;
  }
  if (entry.expires == kNever) {
    heap_.push_back(&entry);
    entry.heap_index = static_cast<std::uint32_t>(heap_.size() - 1);
  }
  entry.expires = expires;
  sift(&entry, entry.heap_index);
}

void DictionaryShard::leave_heap(DictionaryEntry& entry) {
  if (entry.expires == kNever) {
    return;
  }
  const std::size_t index = entry.heap_index;
  DictionaryEntry* last = heap_.back();
  heap_.pop_back();
  if (last != &entry) {
    sift(last, index);
  }
  entry.expires = kNever;
}

void DictionaryShard::place(DictionaryEntry* entry, std::size_t index) {
  heap_[index] = entry;
  entry->heap_index = static_cast<std::uint32_t>(index);
}

// Moves an entry from a place in the heap to where it belongs.
void DictionaryShard::sift(DictionaryEntry* entry, std::size_t index) {
  while (index > 0 && heap_[(index - 1) / 2]->expires > entry->expires) {
    place(heap_[(index - 1) / 2], index);
    index = (index - 1) / 2;
  }
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child + 1 < heap_.size() && heap_[child + 1]->expires < heap_[child]->expires) {
      ++child;
    }
    if (child >= heap_.size() || heap_[child]->expires >= entry->expires) {
      break;
    }
    place(heap_[child], index);
    index = child;
  }
  place(entry, index);
}

void DictionaryShard::forget() {
  if (oldest_ == nullptr) {
    return;
  }
  generation_.fetch_add(1, std::memory_order_relaxed);
  oldest_->older = forgotten_;
  forgotten_ = newest_;
  newest_ = oldest_ = nullptr;
  std::vector<DictionaryEntry*>().swap(heap_);
  count_ = 0;
}

std::size_t DictionaryShard::reap(std::size_t most) {
  std::size_t bytes = 0;
  for (; most > 0 && forgotten_ != nullptr; --most) {
    DictionaryEntry* entry = forgotten_;
    forgotten_ = entry->older;
    bytes += cost(*entry);
    {
      Bucket bucket = lock(entry->hash);
      take_out(bucket, *entry);
    }
    std::free(entry);
  }
  return bytes;
}

}  // namespace perigee::state
