#pragma once

#include <chrono>
#include <new>
#include <thread>

namespace perigee {

/// Does what others wait for, again for as long as there is no memory for it: some seconds at most. False: there was
/// none to the end. `work` may be cut off anywhere and begun anew. Not for threads that serve clients.
template <typename Work>
[[nodiscard]] bool insist(const Work& work) {
  constexpr int kAttempts = 1000;
  constexpr std::chrono::milliseconds kPause(5);
  for (int i = 0; i < kAttempts; ++i) {
    try {
      work();
      return true;
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kPause);
    }
  }
  return false;
}

}  // namespace perigee
