#include "state/dictionary_shard.h"

#include <algorithm>
#include <cstring>
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
  detach();
  reap(std::numeric_limits<std::size_t>::max());
}

std::size_t DictionaryShard::cost(std::size_t key_size, std::size_t value_size) {
  return block_size(key_size + value_size) + sizeof(DictionaryEntry*);
}

std::size_t DictionaryShard::cost(const DictionaryEntry& entry) {
  return block_size(entry.room) + sizeof(DictionaryEntry*);
}

DictionaryShard::Buckets DictionaryShard::make_buckets(int bits) {
  // calloc() takes large ones fresh from the kernel, untouched
  auto* memory = static_cast<DictionaryEntry**>(std::calloc(std::size_t{1} << bits, sizeof(DictionaryEntry*)));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return Buckets(memory);
}

DictionaryEntry* DictionaryShard::find(std::string_view key, std::uint64_t hash) const {
  if (count_ == 0) {
    return nullptr;
  }
  DictionaryEntry* entry = buckets_[bucket_of(hash)];
  while (entry != nullptr && (entry->hash != hash || entry->key() != key)) {
    entry = entry->next;
  }
  return entry;
}

DictionaryEntry& DictionaryShard::insert(std::string_view key, std::uint64_t hash, const DictionaryValue& value,
                                         std::int64_t expires) {
  const std::size_t room = key.size() + value.bytes.size();
  if (room > kMostEntry) {
    throw std::bad_alloc();
  }
  if (!buckets_) {
    buckets_ = make_buckets(bits_);
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
  key.copy(entry->bytes(), key.size());
  copy_value(*entry, value);
  DictionaryEntry*& bucket = buckets_[bucket_of(hash)];
  entry->next = bucket;
  bucket = entry;
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

void DictionaryShard::touch(DictionaryEntry& entry) {
  if (newest_ != &entry) {
    unlink(entry);
    link(entry);
  }
}

void DictionaryShard::link(DictionaryEntry& entry) {
  entry.newer = nullptr;
  entry.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &entry;
  newest_ = &entry;
}

void DictionaryShard::unlink(DictionaryEntry& entry) {
  (entry.newer != nullptr ? entry.newer->older : newest_) = entry.older;
  (entry.older != nullptr ? entry.older->newer : oldest_) = entry.newer;
}

void DictionaryShard::remove(DictionaryEntry& entry) {
  DictionaryEntry** at = &buckets_[bucket_of(entry.hash)];
  while (*at != &entry) {
    at = &(*at)->next;
  }
  *at = entry.next;
  unlink(entry);
  leave_heap(entry);
  --count_;
  std::free(&entry);
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

void DictionaryShard::detach() {
  if (oldest_ == nullptr) {
    return;
  }
  oldest_->older = detached_;
  detached_ = newest_;
  newest_ = oldest_ = nullptr;
  std::vector<DictionaryEntry*>().swap(heap_);
  buckets_.reset();
  count_ = 0;
}

std::size_t DictionaryShard::reap(std::size_t most) {
  std::size_t bytes = 0;
  for (; most > 0 && detached_ != nullptr; --most) {
    DictionaryEntry* entry = detached_;
    detached_ = entry->older;
    bytes += cost(*entry);
    std::free(entry);
  }
  return bytes;
}

void DictionaryShard::set_bucket_bits(int bits) {
  if (bits == bits_) {
    return;
  }
  if (!buckets_) {
    bits_ = bits;
    return;
  }
  try {
    buckets_ = make_buckets(bits);
  } catch (const std::bad_alloc&) {
    return;
  }
  bits_ = bits;
  for (DictionaryEntry* entry = oldest_; entry != nullptr; entry = entry->newer) {
    DictionaryEntry*& bucket = buckets_[bucket_of(entry->hash)];
    entry->next = bucket;
    bucket = entry;
  }
}

}  // namespace perigee::state
