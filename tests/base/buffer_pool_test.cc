#include "base/buffer_pool.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <set>

using perigee::BufferPool;

TEST_CASE("buffer pool: a block that was given is taken again") {
  const auto pool = std::make_unique<BufferPool>();
  char* const first = pool->take();
  REQUIRE(first != nullptr);
  pool->give(first);
  CHECK(pool->take() == first);
  pool->give(first);
}

TEST_CASE("buffer pool: blocks in use are all different, whole and writable") {
  const auto pool = std::make_unique<BufferPool>();
  std::set<char*> blocks;
  for (std::size_t i = 0; i < BufferPool::kKept + 44; ++i) {
    char* const block = pool->take();
    REQUIRE(block != nullptr);
    std::memset(block, 'x', BufferPool::kBlockSize);
    blocks.insert(block);
  }
  CHECK(blocks.size() == BufferPool::kKept + 44);
  for (char* const block : blocks) {
    pool->give(block);  // more than it keeps: the others go back to the system
  }
}
