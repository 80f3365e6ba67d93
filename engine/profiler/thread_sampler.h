#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>

#include "base/result.h"
#include "profiler/place_table.h"
#include "profiler/sample_ring.h"
#include "profiler/stack_walk.h"
#include "profiler/wait_log.h"

namespace perigee {
struct Pulse;
}

namespace perigee::profiler {

/// What a sampler asks of the VMs that run on its thread. Both are called on the VM's thread, in a signal handler or in
/// the VM's allocator, with the `vm` that is pulse.guest.
struct VmProbe {
  /// What the VM does: the number of the compiled trace it runs, from 1 on; 0 if that is not known; or one of
  /// kInterpreted and below.
  std::int32_t (*state)(void* vm) noexcept = nullptr;
  /// Has ThreadSampler::take_script_stack() called at the next point where the VM's stack can be read. False: not now.
  bool (*ask)(void* vm) noexcept = nullptr;
  /// Adds to a sample that was taken in the VM, when its stack is read, what could not be known before. Null: nothing.
  void (*settle)(RawSample& sample) noexcept = nullptr;
  /// Whether an address may be in code that the VM has compiled: asked where the state is not known. Null: no matter.
  bool (*may_be_compiled)(void* vm, std::uintptr_t address) noexcept = nullptr;
  /// Whether no compiled code runs, nor has called what does. Null, or false: not known.
  bool (*interprets)(void* vm) noexcept = nullptr;

  static constexpr std::int32_t kInterpreted = -1, kNativeFunction = -2, kCollector = -3;  ///< below: the compiler
};

/// Tells every sampler of the process about the VMs. Before the first recording.
void set_vm_probe(const VmProbe& probe);

/// Notes what one thread does, as far as somebody records it: where its own CPU time finds it, where its script
/// allocates, where the script holds it up, and what its tasks wait for. Of an event the native stack is taken at once,
/// in a signal handler; the script's at the next point where it can be read. Nothing is noted while nobody records.
class ThreadSampler {
 public:
  /// For the calling thread, which must be the one to destroy it.
  explicit ThreadSampler(int worker);
  ~ThreadSampler();
  ThreadSampler(const ThreadSampler&) = delete;
  ThreadSampler& operator=(const ThreadSampler&) = delete;

  /// The running thread's, or null.
  [[nodiscard]] static ThreadSampler* current() noexcept;

  // --- its thread ---

  /// Whether take_script_stack() has samples to complete.
  [[nodiscard]] bool wants_script_stack() const noexcept {
    return computing_.wants_script_stack() || allocating_.wants_script_stack() || stopping_.wants_script_stack();
  }
  /// Completes the samples that wait for the script's stack, as SampleRing does.
  void take_script_stack(std::span<const std::uint32_t> places, InnerPlace inner) noexcept;
  /// A VM of this thread is about to take `bytes` more memory.
  void allocated(std::size_t bytes) noexcept {
    until_sample_ -= static_cast<std::int64_t>(bytes);
    if (until_sample_ <= 0) [[unlikely]] {
      sample_allocation(bytes);
    }
  }
  /// Whether allocated() is to be called.
  [[nodiscard]] bool samples_allocations() const noexcept { return allocation_period_.load() > 0; }
  /// What the route of the request is counted under that the thread serves; -1 while there is none.
  [[nodiscard]] static std::int32_t route() noexcept;

  // --- the reader, any thread ---

  [[nodiscard]] int worker() const { return worker_; }
  [[nodiscard]] PlaceTable& places() { return places_; }
  /// Interruptions by the thread's own CPU time; their weight is in nanoseconds.
  [[nodiscard]] SampleRing& computing() { return computing_; }
  /// Allocations; their weight is in bytes.
  [[nodiscard]] SampleRing& allocating() { return allocating_; }
  /// What interrupt() found; their tag is its own.
  [[nodiscard]] SampleRing& stopping() { return stopping_; }
  [[nodiscard]] WaitLog& waits() { return waits_; }

  /// Begins to take `hertz` samples a second of CPU time, or changes how many.
  [[nodiscard]] Result<> start(int hertz);
  void stop();
  /// Samples an allocation about every `period` bytes, by chance, so that no rhythm of the program's escapes; 0: none.
  void sample_allocations(std::int64_t period);

  /// Readies it for interrupt().
  [[nodiscard]] Result<> take_interrupts();
  /// Has the thread note where it is, if it is in the script: a sample of stopping(). REQUIRES: take_interrupts().
  void interrupt(std::uint64_t tag) const noexcept;
  /// CPU time of the thread, in nanoseconds.
  [[nodiscard]] std::int64_t cpu_time() const noexcept;
  [[nodiscard]] const Pulse& pulse() const { return pulse_; }

 private:
  static void on_signal(int signal, siginfo_t* info, void* context) noexcept;
  void interrupted(Registers registers, int overrun) noexcept;
  void stopped(Registers registers, std::uint64_t tag) noexcept;
  void sample_allocation(std::size_t bytes) noexcept;
  void locate(RawSample& sample, const Registers* registers) const noexcept;
  void walk(RawSample& sample, Registers registers) const noexcept;
  [[nodiscard]] std::uintptr_t find_machine_code(Registers registers) const noexcept;
  [[nodiscard]] std::int64_t next_gap() noexcept;

  const int worker_;
  const pthread_t thread_;
  const pid_t id_;  // the kernel's
  const std::uintptr_t stack_end_;
  const Pulse& pulse_;
  clockid_t clock_{};
  timer_t timer_{};
  bool has_timer_ = false;
  std::atomic<std::int64_t> period_{0};             // nanoseconds; 0: stopped
  std::atomic<std::int64_t> allocation_period_{0};  // bytes
  std::atomic<bool> takes_interrupts_{false};
  std::int64_t until_sample_ = 0;  // bytes; the thread's
  std::uint64_t chance_;           // the state of a generator; the thread's
  struct {
    std::int64_t count = 0;
    std::int64_t weight = 0;
  } roomless_;  // allocations that found no room; the thread's
  PlaceTable places_;
  SampleRing computing_;
  SampleRing allocating_;
  SampleRing stopping_;
  WaitLog waits_;
};

}  // namespace perigee::profiler
