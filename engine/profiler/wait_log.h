#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace perigee::profiler {

/// The waits of one thread's tasks while somebody records them: when, for what and with which stack of the script.
class WaitLog {
 public:
  using Stack = std::vector<std::uint32_t>;  ///< ids of places, the innermost first

  struct Wait {
    std::int64_t began = 0;  ///< monotonic nanoseconds
    std::int64_t ended = 0;  ///< 0: it lasts
    std::uint32_t site = 0;  ///< wait_site()
    std::int32_t route = -1;
    Stack stack;
  };

  // --- any thread ---

  /// Whether anybody records: what follows is wanted then, and not noted else.
  [[nodiscard]] bool recording() const noexcept { return recording_.load(std::memory_order_relaxed); }
  void start() { recording_.store(true, std::memory_order_relaxed); }
  void stop();
  /// What has ended since the last call.
  [[nodiscard]] std::vector<Wait> take_ended() {
    const std::lock_guard lock(mutex_);
    return std::exchange(ended_, {});
  }
  /// What lasts.
  [[nodiscard]] std::vector<Wait> open() const;
  /// Waits that were lost as nobody took them; counted since the last call.
  [[nodiscard]] std::uint64_t take_lost() { return lost_.exchange(0, std::memory_order_relaxed); }

  // --- the thread; `task`: whatever it knows the waiting task by ---

  /// A task waits, or is about to.
  void begin(const void* task, Wait wait);
  /// Whether begin() was told of its wait.
  [[nodiscard]] bool knows(const void* task) const;
  /// The task goes on: `wait` is what is known of it; the stack is kept from begin() where it has none.
  void end(const void* task, Wait wait);
  /// The task ended without.
  void forget(const void* task);

 private:
  static constexpr std::size_t kMost = 65536;  // waits that nobody has taken

  std::atomic<bool> recording_{false};
  std::atomic<std::uint64_t> lost_{0};
  mutable std::mutex mutex_;
  std::unordered_map<const void*, Wait> open_;  // guarded by mutex_
  std::vector<Wait> ended_;                     // guarded by mutex_
};

}  // namespace perigee::profiler
