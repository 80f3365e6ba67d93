#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/pulse.h"
#include "script/request_view.h"
#include "script/vm_limits.h"

struct lua_State;
struct lua_Debug;

namespace perigee::script {

class LuaAllocator;
class MemoryBudget;
class Task;
class TracePlaces;
class Vm;

/// Whether a task was stopped by one of the limits that are kept here, and did not merely lose its wait.
[[nodiscard]] constexpr bool is_stop(std::int32_t reason) {
  return reason == static_cast<std::int32_t>(CancelReason::kCpuLimit) ||
         reason == static_cast<std::int32_t>(CancelReason::kMemoryLimit);
}

/// Whether a chunk is the library's own, or one that it generated.
[[nodiscard]] bool is_library(std::string_view source);

/// Holds what runs in a VM to its limits. An order comes while Lua runs, by the watchdog's signal or from the
/// allocator; it makes the VM call at_safepoint() before its next instruction, and that raises an error, again and
/// again until the code of the program has been left: no pcall keeps it. Code of the library is spared, so that it
/// leaves everything in order; where it catches the error and goes on with other code of the program, that has its time
/// anew (pardon()). The VM's thread only.
class Governor {
 public:
  Governor(Vm& vm, LuaAllocator& memory, const VmLimits& limits);
  ~Governor();
  Governor(const Governor&) = delete;
  Governor& operator=(const Governor&) = delete;

  /// Readies the new VM. `main` is its main state.
  void open(lua_State* main);

  [[nodiscard]] const VmLimits& limits() const { return limits_; }
  [[nodiscard]] lua_State* main() const { return main_; }
  /// Whether what runs is being stopped.
  [[nodiscard]] bool stopping() const { return (orders_.load(std::memory_order_relaxed) & kStop) != 0; }
  /// Whether a stay in this VM lasts.
  [[nodiscard]] bool inside() const { return pulse.guest == this && pulse.stay.load(std::memory_order_relaxed) != 0; }

  /// What runs is to be weighed at the next safepoint. From within the allocator.
  void order_weighing() noexcept;
  /// Probe::look() is to be called at the next instruction that is interpreted: for a LuaJIT that Safepoint::nudge()
  /// can't reach. In signal handlers, too.
  void order_look() noexcept;
  /// Where traces start; null where Safepoint::nudge() reaches them.
  [[nodiscard]] TracePlaces* traces() const { return traces_.get(); }
  /// The VM's libraries are open. In a function that may raise.
  void follow_traces();
  /// Whether memory was refused to the running task since this was last asked: where and why; "" otherwise.
  [[nodiscard]] std::string take_refusal();

  /// A stay in Lua has ended that the watchdog took note of. `task`: who was resumed; null in other stays.
  void leave(Task* task);

  /// The running task was stopped, and what stopped has been caught by the library: its traceback; "" where it was not.
  /// What follows has its time anew.
  [[nodiscard]] std::string pardon(Task& task);

 private:
  enum Order : int { kStop = 1, kReport = 2, kWeigh = 4, kLook = 8 };

  static void on_signal(int) noexcept;
  static void on_hook(lua_State* state, lua_Debug*);
  void poke() noexcept;
  void arm() noexcept;
  void disarm() noexcept;
  void at_safepoint(lua_State* state);
  [[nodiscard]] bool spares(lua_State* state);
  static constexpr std::size_t kReasonLength = 128;
  void say_why(const Task* task, char (&text)[kReasonLength]) const;
  void stop(lua_State* state);
  void report_block(const Task* task);

  Vm& vm_;
  VmLimits limits_;
  const std::unique_ptr<MemoryBudget> memory_;
  const std::unique_ptr<TracePlaces> traces_;
  lua_State* main_ = nullptr;
  std::atomic<int> orders_{0};         // bits of Order
  std::atomic<bool> armed_{false};     // at_safepoint() is called before each instruction
  std::atomic<bool> at_point_{false};  // it runs now
  std::int64_t spared_since_ = 0;      // what the thread had computed (ns) when code was first spared; 0: none was
  bool heavy_ = false;                 // what is to be stopped is over its budget of memory, not of time
  std::string block_;                  // where the stay that holds up the worker was found
  std::int64_t block_reported_ = 0;    // when one was reported last (monotonic_ns)
  int blocks_unreported_ = 0;          // since then
  std::string trace_;                  // where it was
  void (*program_hook_)(lua_State*, lua_Debug*) = nullptr;  // debug.sethook of the program
  int program_mask_ = 0;
  int program_count_ = 0;
};

/// A stay of this thread in the Lua of one VM. Vm::resume() is one; so must be whatever else may run code of the
/// program: loading it, and all that may collect garbage.
class Stay {
 public:
  /// `limit`: nanoseconds that are left to it. `task`: who is resumed by it. `frame`: of the function that makes it.
  Stay(Governor& governor, std::int64_t limit, Task* task = nullptr, const void* frame = __builtin_frame_address(0))
      : task_(task), outer_(pulse.stay.load(std::memory_order_relaxed)) {
    if (outer_ != 0) [[unlikely]] {
      outer_left_ = pulse.left_ns.load(std::memory_order_relaxed);
      outer_guest_ = pulse.guest;
      outer_frame_ = pulse.frame;
      pulse.stay.store(0, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    pulse.guest = &governor;
    pulse.frame = frame;
    pulse.left_ns.store(limit, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    pulse.stay.store(++pulse.last, std::memory_order_release);
  }
  ~Stay() {
    pulse.stay.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (pulse.noted.load(std::memory_order_relaxed)) [[unlikely]] {
      static_cast<Governor*>(pulse.guest)->leave(task_);
    }
    if (outer_ != 0) [[unlikely]] {
      pulse.left_ns.store(outer_left_, std::memory_order_relaxed);
      pulse.guest = outer_guest_;
      pulse.frame = outer_frame_;
      std::atomic_signal_fence(std::memory_order_seq_cst);
      pulse.stay.store(outer_, std::memory_order_relaxed);
    }
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

 private:
  Task* task_;
  std::uint64_t outer_;
  std::int64_t outer_left_ = 0;
  void* outer_guest_ = nullptr;
  const void* outer_frame_ = nullptr;
};

}  // namespace perigee::script
