#pragma once

#include <cstdint>

#include "profiler/exposition.h"

namespace perigee::server {

/// What the kernel says of this process.
struct ProcessFigures {
  double cpu_seconds = 0;  ///< user and system
  double start_time = 0;   ///< seconds since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t most_descriptors = 0;
};

/// Reads them from /proc; what can't be read is 0.
[[nodiscard]] ProcessFigures process_figures();

/// Shows them, under the names that Prometheus' client libraries use, and what was built.
void write_process(profiler::Exposition& page);

}  // namespace perigee::server
