#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace perigee::server {

/// Ends the process when its orderly end hangs: Lua code that never returns can't be stopped from outside, and its
/// thread can't be joined. Main thread.
class LastResort {
 public:
  LastResort() = default;
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

  /// Unless this object is destroyed within `patience`, `last_words` runs on a thread of its own and the process exits
  /// with 0.
  void arm(Milliseconds patience, std::function<void()> last_words);

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace perigee::server
