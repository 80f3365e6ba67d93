#include "state/dictionary_shard.h"

#include <catch2/catch.hpp>
#include <string>

using namespace perigee::state;

TEST_CASE("dictionary shard: entries leave by their use and by their time") {
  DictionaryShard shard;
  shard.set_bucket_bits(3);
  for (int i = 0; i < 100; ++i) {
    const auto hash = static_cast<std::uint64_t>(i * 7919) << 48;
    (void)shard.insert(std::to_string(i), hash, {ValueKind::kNumber, 1.0 * i, {}}, 1000 - i);
  }
  CHECK(shard.oldest()->key() == "0");
  shard.touch(*shard.oldest());
  CHECK(shard.oldest()->key() == "1");
  for (int i = 99; i >= 50; --i) {
    DictionaryEntry* first = shard.first_to_expire();
    CHECK(first->key() == std::to_string(i));
    shard.remove(*first);
  }
  shard.set_expiry(*shard.oldest(), kNever);
  shard.set_bucket_bits(1);
  CHECK(shard.find("49", static_cast<std::uint64_t>(49 * 7919) << 48)->number == 49);
  CHECK(shard.find("99", static_cast<std::uint64_t>(99 * 7919) << 48) == nullptr);
  CHECK(shard.count() == 50);
  shard.detach();
  CHECK(shard.count() == 0);
  CHECK(shard.first_to_expire() == nullptr);
  CHECK(shard.reap(20) == 20 * DictionaryShard::cost(2, 0));
  CHECK(shard.has_detached());
}
