#include "script/allocation_tally.h"

#include <algorithm>

namespace perigee::script {
namespace {

void add(LuaAllocator::Counts& sum, const LuaAllocator::Counts& more) {
  sum.allocations += more.allocations;
  sum.bytes += more.bytes;
}

}  // namespace

AllocationTally::Entry::Entry(AllocationTally& tally, const LuaAllocator& allocator)
    : tally_(tally), allocator_(allocator) {
  const std::lock_guard lock(tally_.mutex_);
  tally_.living_.push_back(&allocator_);
}

AllocationTally::Entry::~Entry() {
  const std::lock_guard lock(tally_.mutex_);
  add(tally_.closed_, allocator_.counts());
  tally_.living_.erase(std::find(tally_.living_.begin(), tally_.living_.end(), &allocator_));
}

LuaAllocator::Counts AllocationTally::sum() const {
  const std::lock_guard lock(mutex_);
  LuaAllocator::Counts sum = closed_;
  for (const LuaAllocator* allocator : living_) {
    add(sum, allocator->counts());
  }
  return sum;
}

}  // namespace perigee::script
