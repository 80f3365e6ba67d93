#include "script/lua_allocator.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "../memory_faults.h"

using perigee::script::LuaAllocator;

namespace {

// A block as Lua holds one: it knows its size.
struct Block {
  void* at = nullptr;
  std::size_t size = 0;
};

class Arena {
 public:
  Block take(std::size_t size, unsigned char fill) {
    void* at = LuaAllocator::allocate(&allocator, nullptr, 0, size);
    REQUIRE(at != nullptr);
    std::memset(at, fill, size);
    return {at, size};
  }
  void give(const Block& block) { CHECK(LuaAllocator::allocate(&allocator, block.at, block.size, 0) == nullptr); }
  Block resize(const Block& block, std::size_t size) {
    void* at = LuaAllocator::allocate(&allocator, block.at, block.size, size);
    REQUIRE(at != nullptr);
    return {at, size};
  }

  LuaAllocator allocator;
};

bool holds(const Block& block, std::size_t size, unsigned char fill) {
  const auto* bytes = static_cast<const unsigned char*>(block.at);
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] != fill) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("lua allocator: blocks of every size around the classes are whole, aligned and apart") {
  Arena arena;
  std::vector<Block> blocks;
  for (const std::size_t size : {1, 8, 15, 16, 17, 31, 32, 33, 495, 496, 497, 511, 512, 513, 1024, 65536, 1'000'000}) {
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(arena.take(size, static_cast<unsigned char>(blocks.size() + 1)));
      CHECK(reinterpret_cast<std::uintptr_t>(blocks.back().at) % 16 == 0);
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CHECK(holds(blocks[i], blocks[i].size, static_cast<unsigned char>(i + 1)));
    arena.give(blocks[i]);
  }
}

TEST_CASE("lua allocator: realloc keeps the bytes that both sizes have") {
  const auto [from, to] = GENERATE(table<std::size_t, std::size_t>({
      {1, 16},
      {16, 17},
      {17, 16},
      {16, 1},
      {512, 513},
      {513, 512},
      {512, 511},
      {496, 512},
      {8, 4096},
      {4096, 8},
      {513, 600},
      {600, 513},
      {512, 512},
      {1000, 100'000},
      {100'000, 513},
      {100'000, 512},
  }));
  Arena arena;
  const Block before = arena.take(from, 0x5a);
  const Block after = arena.resize(before, to);
  CHECK(holds(after, std::min(from, to), 0x5a));
  std::memset(after.at, 0x11, to);
  arena.give(after);
}

TEST_CASE("lua allocator: a resize within a class stays where it is") {
  Arena arena;
  const Block block = arena.take(17, 1);
  CHECK(arena.resize(block, 32).at == block.at);
  CHECK(arena.resize({block.at, 32}, 18).at == block.at);
  arena.give({block.at, 18});
}

TEST_CASE("lua allocator: what was given is taken again by its class, and by no other") {
  Arena arena;
  const Block block = arena.take(40, 1);
  arena.give(block);
  CHECK(arena.take(64, 2).at != block.at);
  CHECK(arena.take(48, 3).at == block.at);
}

TEST_CASE("lua allocator: the same work over again takes no more from the system") {
  Arena arena;
  std::size_t after_first = 0;
  for (int round = 0; round < 5; ++round) {
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < 5000; ++i) {
      blocks.push_back(arena.take(1 + i % 512, 7));
    }
    for (const Block& block : blocks) {
      arena.give(block);
    }
    if (round == 0) {
      after_first = arena.allocator.reserved();
    }
  }
  CHECK(after_first >= 5000 * 256);
  CHECK(arena.allocator.reserved() == after_first);
}

TEST_CASE("lua allocator: large blocks are not kept") {
  Arena arena;
  for (int i = 0; i < 100; ++i) {
    arena.give(arena.take(1'000'000, 1));
  }
  CHECK(arena.allocator.reserved() == 0);
}

TEST_CASE("lua allocator: nothing is given for nothing") {
  LuaAllocator allocator;
  CHECK(LuaAllocator::allocate(&allocator, nullptr, 0, 0) == nullptr);
  CHECK(LuaAllocator::allocate(&allocator, nullptr, 5, 0) == nullptr);
  CHECK(allocator.reserved() == 0);
}

TEST_CASE("lua allocator: a long mixture of takes, resizes and gives corrupts nothing") {
  Arena arena;
  std::mt19937 random(20240229);
  const auto size_of_any = [&random] {
    const unsigned kind = random() % 10;
    return 1 + random() % (kind < 7 ? 128 : kind < 9 ? 600 : 5000);
  };
  struct Held {
    Block block;
    unsigned char fill;
  };
  std::vector<Held> held;
  std::size_t broken = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (held.size() < 200 || random() % 3 == 0) {
      const auto fill = static_cast<unsigned char>(random());
      held.push_back({arena.take(size_of_any(), fill), fill});
      continue;
    }
    Held& chosen = held[random() % held.size()];
    const std::size_t size = random() % 2 == 0 ? 0 : size_of_any();
    broken += holds(chosen.block, chosen.block.size, chosen.fill) ? 0 : 1;
    if (size == 0) {
      arena.give(chosen.block);
      chosen = held.back();
      held.pop_back();
    } else {
      const std::size_t kept = std::min(size, chosen.block.size);
      chosen.block = arena.resize(chosen.block, size);
      broken += holds(chosen.block, kept, chosen.fill) ? 0 : 1;
      std::memset(chosen.block.at, chosen.fill, size);
    }
  }
  CHECK(broken == 0);
  for (const Held& each : held) {
    arena.give(each.block);
  }
}

TEST_CASE("lua allocator: a block becomes smaller also when there is no memory, and is taken again as what it became") {
  const std::size_t size = GENERATE(512, 513, 100'000);
  Arena arena;
  Block block = arena.take(size, 7);
  for (std::size_t taken = size == 512 ? 512 : 0; taken < 64 * 1024; taken += 512) {
    (void)arena.take(512, 1);  // till the chunk is used up
  }
  memory_faults::fail_once(1);
  void* const smaller = LuaAllocator::allocate(&arena.allocator, block.at, size, 20);
  memory_faults::fail_none();
  REQUIRE(smaller != nullptr);
  CHECK(holds({smaller, 20}, 20, 7));
  arena.give({smaller, 20});
  CHECK(arena.take(20, 1).at == smaller);
}

TEST_CASE("lua allocator: what is kept back for hard times is nobody's, and goes when it is dropped") {
  Arena arena;
  CHECK(arena.allocator.hold_reserve());
  CHECK(arena.allocator.hold_reserve());
  CHECK(arena.allocator.held() == 0);
  arena.allocator.drop_reserve();
  Arena poor;
  memory_faults::fail_once(1);
  const bool held = poor.allocator.hold_reserve();
  memory_faults::fail_none();
  CHECK_FALSE(held);
}
