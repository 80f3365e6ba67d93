#include "state/dictionary_shard.h"

#include <catch2/catch.hpp>
#include <string>

using namespace perigee::state;

namespace {

std::uint64_t hash_of(int i) {
  return static_cast<std::uint64_t>(i * 7919) << 48;
}

DictionaryEntry& insert(DictionaryShard& shard, int i, std::int64_t expires) {
  shard.prepare();
  auto bucket = shard.lock(hash_of(i));
  return shard.insert(bucket, std::to_string(i), hash_of(i), {ValueKind::kNumber, 1.0 * i, {}}, expires,
                      static_cast<std::uint64_t>(i));
}

DictionaryEntry* find(DictionaryShard& shard, int i) {
  const auto bucket = shard.lock(hash_of(i));
  return shard.find(bucket, std::to_string(i), hash_of(i));
}

}  // namespace

TEST_CASE("dictionary shard: entries leave by their use and by their time") {
  DictionaryShard shard;
  CHECK(find(shard, 1) == nullptr);
  shard.set_bucket_bits(3);
  for (int i = 0; i < 100; ++i) {
    (void)insert(shard, i, 1000 - i);
  }
  CHECK(shard.oldest()->key() == "0");
  CHECK(shard.oldest()->placed == 0);
  shard.oldest()->used = 200;
  shard.renew(*shard.oldest());
  CHECK(shard.oldest()->key() == "1");
  CHECK(find(shard, 0)->placed == 200);
  for (int i = 99; i >= 50; --i) {
    DictionaryEntry* first = shard.first_to_expire();
    CHECK(first->key() == std::to_string(i));
    shard.remove(*first);
  }
  shard.set_expiry(*shard.oldest(), kNever);
  shard.set_bucket_bits(1);
  CHECK(find(shard, 49)->number == 49);
  CHECK(find(shard, 99) == nullptr);
  CHECK(shard.count() == 50);
}

TEST_CASE("dictionary shard: what is forgotten is not found, its keys can be there anew, and it is freed in steps") {
  DictionaryShard shard;
  shard.set_bucket_bits(2);
  for (int i = 10; i < 60; ++i) {
    (void)insert(shard, i, 1000);
  }
  shard.forget();
  CHECK(shard.count() == 0);
  CHECK(shard.first_to_expire() == nullptr);
  CHECK(find(shard, 10) == nullptr);
  (void)insert(shard, 10, kNever);
  CHECK(find(shard, 10) != nullptr);
  CHECK(shard.reap(20) == 20 * DictionaryShard::cost(2, 0));
  CHECK(shard.has_forgotten());
  shard.forget();
  CHECK(shard.reap(1000) == 31 * DictionaryShard::cost(2, 0));
  CHECK_FALSE(shard.has_forgotten());
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(shard.first(i) == nullptr);
  }
}

TEST_CASE("dictionary shard: a value takes another's place where it fits and does not waste much") {
  DictionaryEntry entry;
  entry.key_size = 10;
  entry.room = 210;
  const std::string bytes(300, 'v');
  const auto fits = [&](std::size_t size) {
    return DictionaryShard::fits(entry, {ValueKind::kString, 0, std::string_view(bytes).substr(0, size)});
  };
  CHECK(fits(200));
  CHECK_FALSE(fits(201));
  CHECK(fits(95));
  CHECK_FALSE(fits(94));
  entry.room = 64;
  CHECK(fits(0));
}
