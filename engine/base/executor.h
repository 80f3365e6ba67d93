#pragma once

#include <functional>

namespace perigee {

/// Somewhere work can be sent to run later, in order, on one thread.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Runs `work` on the executor's thread, after everything posted before. Any thread may call.
  virtual void post(std::function<void()> work) = 0;
};

}  // namespace perigee
