#pragma once

#include <mutex>
#include <vector>

#include "script/lua_allocator.h"

namespace perigee::script {

/// What several VMs have allocated, those that are closed included. Any thread.
class AllocationTally {
 public:
  /// An allocator is counted while this lives; what it has counted by its end stays. REQUIRES: destroyed before the
  /// allocator and the tally.
  class Entry {
   public:
    Entry(AllocationTally& tally, const LuaAllocator& allocator);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    AllocationTally& tally_;
    const LuaAllocator& allocator_;
  };

  [[nodiscard]] LuaAllocator::Counts sum() const;

 private:
  mutable std::mutex mutex_;
  std::vector<const LuaAllocator*> living_;  // guarded by mutex_
  LuaAllocator::Counts closed_;              // guarded by mutex_
};

}  // namespace perigee::script
