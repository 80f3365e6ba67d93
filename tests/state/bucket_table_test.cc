#include "state/bucket_table.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "state/dictionary_shard.h"

using namespace perigee::state;

namespace {

void push(BucketTable& table, DictionaryEntry& entry) {
  BucketTable::Bucket bucket = table.lock(entry.hash);
  entry.next = bucket.first();
  bucket.set_first(&entry);
}

bool holds(const BucketTable& table, const DictionaryEntry& entry) {
  const BucketTable::Bucket bucket = table.lock(entry.hash);
  const DictionaryEntry* at = bucket.first();
  while (at != nullptr && at != &entry) {
    at = at->next;
  }
  return at == &entry;
}

}  // namespace

TEST_CASE(
    "bucket table: it has no buckets until it is asked for them, and keeps entries over changes of their number") {
  BucketTable table;
  table.resize(2);
  CHECK(table.lock(0).first() == nullptr);
  CHECK(table.first(0) == nullptr);
  table.prepare();
  std::vector<DictionaryEntry> entries(64);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].hash = i << 58;
    push(table, entries[i]);
  }
  for (const int bits : {2, 6, 0, 2, 6, 1}) {
    table.resize(bits);
    CHECK(table.bits() == bits);
    for (const DictionaryEntry& entry : entries) {
      CHECK(holds(table, entry));
    }
    std::size_t count = 0;
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < std::size_t{1} << bits; ++i) {
      std::uint64_t largest = last;
      for (const DictionaryEntry* at = table.first(i); at != nullptr; at = at->next, ++count) {
        CHECK(at->hash >= last);
        CHECK(table.index_of(at->hash) == i);
        largest = std::max(largest, at->hash);
      }
      last = largest;
    }
    CHECK(count == entries.size());
  }
}

TEST_CASE("bucket table: one thread at a time has a bucket, also while it is resized") {
  constexpr int kRounds = 20'000;
  BucketTable table;
  table.prepare();
  std::vector<DictionaryEntry> entries(16);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].hash = i << 60;
    push(table, entries[i]);
  }
  std::atomic<bool> missing = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < kRounds; ++i) {
        DictionaryEntry& entry = entries[i % entries.size()];
        const BucketTable::Bucket bucket = table.lock(entry.hash);
        const DictionaryEntry* at = bucket.first();
        while (at != nullptr && at != &entry) {
          at = at->next;
        }
        missing = missing || at == nullptr;
        entry.number += 1;
      }
    });
  }
  for (int i = 0; i < 2'000; ++i) {
    table.resize(i % 4);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK_FALSE(missing.load());
  double sum = 0;
  for (const DictionaryEntry& entry : entries) {
    sum += entry.number;
  }
  CHECK(sum == 3.0 * kRounds);
}
