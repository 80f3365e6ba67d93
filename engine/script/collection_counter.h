#pragma once

#include <atomic>
#include <cstdint>

struct lua_State;

namespace perigee::script {

/// Counts the rounds of a VM's garbage collector from here on: an object that nobody holds is collected once a round,
/// and its finalizer counts and leaves another. May raise. REQUIRES: `count` outlives the VM.
void count_collections(lua_State* state, std::atomic<std::uint64_t>& count);

}  // namespace perigee::script
