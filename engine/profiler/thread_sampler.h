#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "profiler/stack_walk.h"

namespace perigee::profiler {

/// What a sampler asks of the VMs that run on its thread. Both are called in a signal handler, on the VM's thread, with
/// the `vm` that is pulse.guest.
struct VmProbe {
  /// What the VM does: the number of the compiled trace it runs, from 1 on; 0 if that is not known; or one of
  /// kInterpreted and below.
  std::int32_t (*state)(void* vm) noexcept = nullptr;
  /// Has ThreadSampler::take_script_stack() called at the next point where the VM's stack can be read. False: not now.
  bool (*ask)(void* vm) noexcept = nullptr;

  static constexpr std::int32_t kInterpreted = -1, kNativeFunction = -2, kCollector = -3;  ///< below: the compiler
};

/// Tells every sampler of the process about the VMs. Before the first recording.
void set_vm_probe(const VmProbe& probe);

/// A place in a script.
struct ScriptPlace {
  std::string source;  ///< as the VM knows it: "@lua/app.lua"; "=[C]" of a native function
  std::string name;    ///< of the function, as far as it is known
  std::int32_t line = 0;
  std::int32_t first_line = 0;
};

/// One interruption of a thread.
struct RawSample {
  static constexpr std::size_t kMostFrames = 48;  // native ones
  static constexpr std::size_t kMostPlaces = 48;

  std::int64_t weight = 0;  ///< nanoseconds of CPU time that it stands for
  std::int32_t route = -1;  ///< what it is counted under (Marks::numbers); -1: none
  std::int32_t vm_state = 0;
  bool in_script = false;
  std::uint8_t inner = 0;   ///< how many of the frames were entered by the script
  std::uint8_t frames = 0;  ///< native frames in all; the others lead to the script
  std::uint8_t places = 0;
  std::array<std::uintptr_t, kMostFrames> code;   ///< the first, and the one at `inner`, are no return addresses
  std::array<std::uint32_t, kMostPlaces> script;  ///< ids of places, the innermost first
};

/// Interrupts its thread by the thread's own CPU time and notes where it is: the native stack in the signal handler,
/// the script's at the next point where it can be read. One writer, the thread; one reader, who drains. Nothing is
/// taken or noted while it is stopped.
class ThreadSampler {
 public:
  /// For the calling thread, which must be the one to destroy it.
  explicit ThreadSampler(int worker);
  ~ThreadSampler();
  ThreadSampler(const ThreadSampler&) = delete;
  ThreadSampler& operator=(const ThreadSampler&) = delete;

  /// The running thread's, or null.
  [[nodiscard]] static ThreadSampler* current() noexcept;

  // On its thread.
  /// Whether take_script_stack() has samples to complete.
  [[nodiscard]] bool wants_script_stack() const noexcept { return pending_.load(std::memory_order_relaxed); }
  /// The id of a place; 0, which is an unknown place, when there is no memory for it.
  [[nodiscard]] std::uint32_t place(std::string_view source, std::string_view name, std::int32_t line,
                                    std::int32_t first_line) noexcept;
  /// Completes the samples that wait for the script's stack, the innermost place first.
  void take_script_stack(std::span<const std::uint32_t> places) noexcept;

  // By the reader, any thread.
  [[nodiscard]] int worker() const { return worker_; }
  /// Begins to take `hertz` samples a second of CPU time, or changes how many.
  [[nodiscard]] Result<> start(int hertz);
  void stop();
  /// Calls `use(sample)` for each complete sample since the last call.
  template <typename Use>
  void drain(Use use) {
    const std::uint64_t end = complete_.load(std::memory_order_acquire);
    for (std::uint64_t at = read_.load(std::memory_order_relaxed); at < end; ++at) {
      use(ring_[at % kKept]);
      read_.store(at + 1, std::memory_order_release);
    }
  }
  [[nodiscard]] ScriptPlace place_of(std::uint32_t id) const;
  /// Samples that were lost as nobody drained; counted since the last call.
  [[nodiscard]] std::uint64_t take_lost() { return lost_.exchange(0, std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kMostKnown = 65536;  // places; those after them are the unknown one

  static void on_signal(int signal, siginfo_t* info, void* context) noexcept;
  void interrupted(Registers registers, int overrun) noexcept;
  void walk(RawSample& sample, Registers registers) const noexcept;
  void ask_for_script_stack(std::uint64_t at) noexcept;

  const int worker_;
  const pthread_t thread_;
  const pid_t id_;  // the kernel's
  const std::uintptr_t stack_end_;
  timer_t timer_{};
  bool has_timer_ = false;
  std::atomic<std::int64_t> period_{0};  // nanoseconds; 0: stopped
  std::unique_ptr<RawSample[]> ring_;    // made by the first start(), kept from then on

  std::atomic<std::uint64_t> next_{0};  // written by the signal handler alone
  std::uint64_t oldest_pending_ = 0;    // its sample and those after it wait for the script's stack, while pending_
  std::atomic<bool> pending_{false};
  std::atomic<std::uint64_t> complete_{0};
  std::atomic<std::uint64_t> read_{0};
  std::atomic<std::uint64_t> lost_{0};

  mutable std::mutex mutex_;
  std::vector<ScriptPlace> known_;                                                                 // guarded by mutex_
  std::map<std::tuple<std::string, std::string, std::int32_t, std::int32_t>, std::uint32_t> ids_;  // guarded by mutex_
};

}  // namespace perigee::profiler
