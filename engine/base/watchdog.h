#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace perigee {

/// A thread that looks every few milliseconds at what the watched threads show of their stays in Lua (Pulse). It adds
/// up the time that each stay takes, and sends a signal to the thread of one that is over its limit, or that holds up
/// its thread for too long; what the signal does is up to whoever handles it. A watched thread pays for none of this.
/// Any thread.
class Watchdog {
 public:
  /// How the time of a thread's stays is taken.
  enum class Clock : std::uint8_t {
    kProcessor,  ///< what the thread computes
    kWall        ///< what passes
  };

  /// The calling thread is watched while this lives. REQUIRES: destroyed by the same thread, before the watchdog.
  class Watch {
   public:
    /// `reports`: stays that hold up the thread are reported.
    Watch(Watchdog& watchdog, Clock clock, bool reports = true);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& watchdog_;
  };

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// A stay of so many seconds is one to be reported; 0: none is. Time in which the thread waited for a processor does
  /// not count.
  void report_blocks_after(double seconds) { block_ns_.store(static_cast<std::int64_t>(seconds * 1e9)); }

  /// The signal that a watched thread receives.
  [[nodiscard]] static int signal();

 private:
  struct Watched;

  void run();
  [[nodiscard]] bool look();
  [[nodiscard]] bool look_at(Watched& watched, std::int64_t now) const;
  void look_for_block(Watched& watched, std::int64_t now) const;

  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::unique_ptr<Watched>> watched_;  // guarded by mutex_
  bool over_ = false;                              // guarded by mutex_
  std::atomic<std::int64_t> block_ns_{0};
  std::thread thread_;
};

}  // namespace perigee
