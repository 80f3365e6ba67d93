#include "profiler/thread_sampler.h"

#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/marks.h"
#include "base/pulse.h"
#include "base/thread_stack.h"

// Its name in the kernel's interface; the C library leaves it to the program.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace perigee::profiler {

namespace {

constexpr int kSignal = SIGPROF;

VmProbe vm_probe;
thread_local constinit ThreadSampler* this_thread = nullptr;

Registers registers_of(const ucontext_t& context) noexcept {
#if defined(__x86_64__)
  const auto& values = context.uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(values[REG_RIP]), static_cast<std::uintptr_t>(values[REG_RBP]),
          static_cast<std::uintptr_t>(values[REG_RSP])};
#elif defined(__aarch64__)
  return {context.uc_mcontext.pc, context.uc_mcontext.regs[29], context.uc_mcontext.sp};
#else
#error "which registers hold the code address, the frame and the stack?"
#endif
}

// Where the function whose frame this is was called from.
Registers caller_of(const void* frame) noexcept {
  const auto* words = static_cast<const std::uintptr_t*>(frame);
  return {words[1], words[0], reinterpret_cast<std::uintptr_t>(frame) + 2 * sizeof *words};
}

// What the route of the request is counted under that the thread serves; -1 while there is none.
std::int32_t marked_route() noexcept {
  const bool known = marks.stage >= Stage::kLua && marks.route >= 0 && marks.numbers != nullptr;
  return known ? marks.numbers[marks.route] : -1;
}

Result<> install_handler(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  if (sigaction(kSignal, &action, nullptr) != 0) {
    return fail(std::string("the profiler's signal can't be handled: ") + std::strerror(errno));
  }
  return {};
}

}  // namespace

void set_vm_probe(const VmProbe& probe) {
  vm_probe = probe;
}

ThreadSampler::ThreadSampler(int worker)
    : worker_(worker),
      thread_(pthread_self()),
      id_(gettid()),
      stack_end_(stack_end()),
      known_{{"", "(unknown)", 0, 0}} {
  this_thread = this;
}

ThreadSampler::~ThreadSampler() {
  stop();
  this_thread = nullptr;
}

ThreadSampler* ThreadSampler::current() noexcept {
  return this_thread;
}

Result<> ThreadSampler::start(int hertz) {
  static const Result<> handler = install_handler(&ThreadSampler::on_signal);
  TRY(handler);
  if (ring_ == nullptr) {
    ring_ = std::make_unique<RawSample[]>(kKept);
  }
  clockid_t clock{};
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kSignal;
  event.sigev_notify_thread_id = id_;
  if (!has_timer_ && (pthread_getcpuclockid(thread_, &clock) != 0 || timer_create(clock, &event, &timer_) != 0)) {
    return fail("a worker's CPU time can't be followed by a timer");
  }
  has_timer_ = true;
  const std::int64_t period = 1'000'000'000 / hertz;
  period_.store(period, std::memory_order_release);
  itimerspec times{};
  times.it_interval.tv_nsec = times.it_value.tv_nsec = static_cast<long>(std::min<std::int64_t>(period, 999'999'999));
  timer_settime(timer_, 0, &times, nullptr);
  return {};
}

void ThreadSampler::stop() {
  period_.store(0, std::memory_order_release);
  if (has_timer_) {
    timer_delete(timer_);
    has_timer_ = false;
  }
}

void ThreadSampler::on_signal(int, siginfo_t* info, void* context) noexcept {
  const int before = errno;
  if (ThreadSampler* const sampler = this_thread; sampler != nullptr) {
    sampler->interrupted(registers_of(*static_cast<const ucontext_t*>(context)), info->si_overrun);
  }
  errno = before;
}

void ThreadSampler::interrupted(Registers registers, int overrun) noexcept {
  const std::int64_t period = period_.load(std::memory_order_acquire);
  const std::uint64_t at = next_.load(std::memory_order_relaxed);
  if (period == 0) {
    return;
  }
  if (at - read_.load(std::memory_order_acquire) >= kKept) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  RawSample& sample = ring_[at % kKept];
  sample.weight = period * (1 + std::max(overrun, 0));
  sample.route = marked_route();
  sample.in_script = pulse.stay.load(std::memory_order_relaxed) != 0 && vm_probe.state != nullptr;
  sample.vm_state = sample.in_script ? vm_probe.state(pulse.guest) : 0;
  sample.places = 0;
  walk(sample, registers);
  next_.store(at + 1, std::memory_order_relaxed);
  if (sample.in_script) {
    ask_for_script_stack(at);
  }
  if (!pending_.load(std::memory_order_relaxed)) {
    complete_.store(at + 1, std::memory_order_release);
  }
}

// The script's own machine code keeps no frame pointers: the walk from the inside ends there at the latest, and goes on
// from the function that entered it.
void ThreadSampler::walk(RawSample& sample, Registers registers) const noexcept {
  const std::span<std::uintptr_t> room(sample.code);
  if (!sample.in_script) {
    sample.inner = 0;
    sample.frames = static_cast<std::uint8_t>(walk_stack(registers, stack_end_, room));
    return;
  }
  const auto entry = reinterpret_cast<std::uintptr_t>(pulse.frame);
  const std::size_t inner = walk_stack(registers, entry, room.first(room.size() / 2));
  const std::size_t outer = walk_stack(caller_of(pulse.frame), stack_end_, room.subspan(inner));
  sample.inner = static_cast<std::uint8_t>(inner);
  sample.frames = static_cast<std::uint8_t>(inner + outer);
}

void ThreadSampler::ask_for_script_stack(std::uint64_t at) noexcept {
  if (!pending_.load(std::memory_order_relaxed)) {
    oldest_pending_ = at;
    pending_.store(true, std::memory_order_relaxed);
  }
  vm_probe.ask(pulse.guest);
}

// A signal may come at any point here and add a sample: then there is another round.
void ThreadSampler::take_script_stack(std::span<const std::uint32_t> places) noexcept {
  if (!wants_script_stack()) {
    return;
  }
  const std::size_t count = std::min(places.size(), RawSample::kMostPlaces);
  std::uint64_t at = oldest_pending_;
  std::uint64_t end = 0;
  do {
    end = next_.load(std::memory_order_relaxed);
    for (; at < end; ++at) {
      RawSample& sample = ring_[at % kKept];
      if (sample.in_script) {
        sample.places = static_cast<std::uint8_t>(count);
        std::copy_n(places.begin(), count, sample.script.begin());
      }
    }
    complete_.store(end, std::memory_order_release);
    pending_.store(false, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } while (next_.load(std::memory_order_relaxed) != end);
}

std::uint32_t ThreadSampler::place(std::string_view source, std::string_view name, std::int32_t line,
                                   std::int32_t first_line) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    // A function of the script is told by its place; who calls it may know it by different names. One without a place
    // is told by its name.
    std::tuple key(std::string(source), first_line > 0 ? std::string() : std::string(name), line, first_line);
    const auto known = ids_.find(key);
    if (known != ids_.end()) {
      return known->second;
    }
    if (known_.size() >= kMostKnown) {
      return 0;
    }
    known_.push_back({std::string(source), std::string(name), line, first_line});
    return ids_.emplace(std::move(key), static_cast<std::uint32_t>(known_.size() - 1)).first->second;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

ScriptPlace ThreadSampler::place_of(std::uint32_t id) const {
  const std::lock_guard lock(mutex_);
  return known_[id < known_.size() ? id : 0];
}

}  // namespace perigee::profiler
