#include "script/allocation_tally.h"

#include <catch2/catch.hpp>
#include <optional>

using perigee::script::AllocationTally;
using perigee::script::LuaAllocator;

TEST_CASE("allocation tally: what living and closed allocators have counted") {
  AllocationTally tally;
  LuaAllocator first;
  LuaAllocator second;
  std::optional<AllocationTally::Entry> one(std::in_place, tally, first);
  const AllocationTally::Entry other(tally, second);
  void* const block = LuaAllocator::allocate_counted(&first, nullptr, 0, 100);
  void* const bigger = LuaAllocator::allocate_counted(&second, nullptr, 0, 1000);
  CHECK(tally.sum().allocations == 2);
  CHECK(tally.sum().bytes == 1100);
  one.reset();
  LuaAllocator::allocate_counted(&first, block, 100, 0);
  LuaAllocator::allocate_counted(&second, bigger, 1000, 0);
  CHECK(tally.sum().allocations == 2);
  CHECK(tally.sum().bytes == 1100);
}
