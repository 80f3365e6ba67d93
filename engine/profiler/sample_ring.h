#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace perigee::profiler {

/// One event on a thread: where it was, and what that stands for.
struct RawSample {
  static constexpr std::size_t kMostFrames = 48;  // native ones
  static constexpr std::size_t kMostPlaces = 48;

  std::int64_t weight = 0;  ///< what it stands for: nanoseconds, or bytes
  std::int64_t count = 1;   ///< how many events it stands for
  std::uint64_t tag = 0;    ///< whatever the taker wants to know it by
  std::uint64_t stay = 0;   ///< the stay in the script (Pulse::stay); 0 outside
  std::int32_t route = -1;  ///< what it is counted under (Marks::numbers); -1: none
  std::int32_t vm_state = 0;
  bool in_script = false;
  bool in_call = false;             ///< what took it is an instruction that is over once the script's stack can be read
  bool late = false;                ///< it is of compiled code, and the script's stack of when that had been left
  std::uint32_t trace = 0;          ///< late: the id of the place where the trace starts; 0 is an unknown one
  std::uintptr_t machine_code = 0;  ///< an address in compiled code that was running; 0: not looked for, or none found
  std::uint8_t inner = 0;           ///< how many of the frames were entered by the script
  std::uint8_t frames = 0;          ///< native frames in all; the others lead to the script
  std::uint8_t places = 0;
  std::array<std::uintptr_t, kMostFrames> code;   ///< the first, and the one at `inner`, are no return addresses
  std::array<std::uint32_t, kMostPlaces> script;  ///< ids of places, the innermost first
};

/// What the innermost line was when a sample was taken, by what took it.
struct InnerPlace {
  std::uint32_t called = 0;  ///< for those of `in_call`: that of the instruction before
  std::uint32_t left = 0;    ///< for compiled code: that of the line that was left
};

/// Samples on their way from a thread to who collects them. Those taken in the script wait for its stack, and those
/// after them wait with them. One writer, the thread with its signal handlers; one reader.
class SampleRing {
 public:
  // --- the reader ---

  /// Makes room, once. REQUIRES: before the first begin().
  void prepare() {
    if (ring_ == nullptr) {
      ring_ = std::make_unique<RawSample[]>(kKept);
    }
  }
  /// Calls `use(sample)` for each complete sample since the last call.
  template <typename Use>
  void drain(Use use) {
    const std::uint64_t end = complete_.load(std::memory_order_acquire);
    for (std::uint64_t at = read_.load(std::memory_order_relaxed); at < end; ++at) {
      use(ring_[at % kKept]);
      read_.store(at + 1, std::memory_order_release);
    }
  }
  /// Samples that were lost as nobody drained; counted since the last call.
  [[nodiscard]] std::uint64_t take_lost() { return lost_.exchange(0, std::memory_order_relaxed); }

  // --- the writer ---

  /// Room for the next sample, as good as new but for the stacks; null when there is none. commit() must follow.
  [[nodiscard]] RawSample* begin() noexcept;
  /// Where there is no room: the newest sample, if that waits for the script's stack; else null. What goes on in one
  /// stay may be added to it.
  [[nodiscard]] RawSample* waiting_in_full() noexcept;
  /// The sample is written. Whether it is the script's stack that it waits for, `in_script` says.
  void commit() noexcept;
  /// Whether take_script_stack() has samples to complete.
  [[nodiscard]] bool wants_script_stack() const noexcept { return pending_.load(std::memory_order_relaxed); }
  /// Completes the samples that wait for the script's stack, the innermost place first; where `inner` knows better,
  /// that is taken for it. `settle`, if not null, first adds to each what was not known when it was taken.
  void take_script_stack(std::span<const std::uint32_t> places, InnerPlace inner,
                         void (*settle)(RawSample& sample) noexcept = nullptr) noexcept;

 private:
  static constexpr std::size_t kKept = 256;

  static void give_stack(RawSample& sample, std::span<const std::uint32_t> places, InnerPlace inner) noexcept;

  std::unique_ptr<RawSample[]> ring_;
  std::atomic<std::uint64_t> next_{0};
  std::uint64_t oldest_pending_ = 0;  // its sample and those after it wait for the script's stack, while pending_
  std::atomic<bool> pending_{false};
  std::atomic<std::uint64_t> complete_{0};
  std::atomic<std::uint64_t> read_{0};
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace perigee::profiler
