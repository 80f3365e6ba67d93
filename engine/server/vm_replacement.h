#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "base/clock.h"

namespace perigee::server {

/// Has VMs that hold too much memory replaced by fresh ones, by a reload of all of them: not more often than once a
/// minute, as an app may need what it holds. Loop thread only.
class VmReplacement {
 public:
  explicit VmReplacement(std::function<void()> reload) : reload_(std::move(reload)) {}

  /// The VM of a worker, counted from 0, holds `bytes`, which is more than limits.vm_memory.
  void ask(std::size_t worker, std::size_t bytes);

 private:
  std::function<void()> reload_;
  Milliseconds last_ = 0;  // when it was asked for; 0: never
};

}  // namespace perigee::server
