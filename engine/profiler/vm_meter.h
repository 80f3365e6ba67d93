#pragma once

#include <atomic>
#include <cstdint>

#include "profiler/wait_sites.h"

namespace perigee::profiler {

/// What the Lua VMs of one worker count, all its generations together. A VM is loaded on another thread than the one
/// that runs it, so any thread may change it.
struct VmMeter {
  std::atomic<std::uint64_t> collections{0};  ///< rounds of the garbage collector
  std::atomic<std::uint64_t> flushes{0};      ///< the compiler's: all traces thrown away, as Vm::look_for_flush() saw
  WaitTotals waits;                           ///< the worker's thread alone adds to them
};

}  // namespace perigee::profiler
